#include "marquee/serving/fellow_watch.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "marquee/base/logging.h"
#include "marquee/log/current_end.h"

namespace marquee::serving {
namespace {

constexpr Millis kFellowWait{100}, kFellowPause{250};
constexpr std::size_t kFellowRecords = 1'000, kFellowBytes = std::size_t{1} << 20;
/// A record: what is said, and who says it.
constexpr char kHere = 'h', kGone = 'g';
constexpr std::size_t kRecordBytes = 1 + sizeof(std::uint64_t);

std::uint64_t random_id() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

}  // namespace

FellowWatch::FellowWatch(log::EventLog& log, decision::SharedFellows& fellows,
                         std::shared_ptr<metrics::Registry> metrics)
    : log_(log), fellows_(fellows), id_(random_id()) {
  if (!metrics) return;
  gauge_ = &prometheus::BuildGauge()
                .Name("marquee_deciders")
                .Help("Processes that decide for the same sites, as this one knows")
                .Register(*metrics)
                .Add({});
}

void FellowWatch::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void FellowWatch::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  say(kGone);
}

bool FellowWatch::is_known() const {
  const auto now = SteadyClock::now();
  const auto since = known_since_.load();
  // By then every other one has said that it is here.
  const bool has_heard_all = since != SteadyClock::time_point::max() && now - since >= 2 * kBeat;
  return has_heard_all && now - own_heard_.load() < kSilent;
}

void FellowWatch::run(const std::stop_token& stop) {
  auto said = SteadyClock::time_point();
  while (!stop.stop_requested()) {
    const auto looked = look();
    if (!looked) logging::warn("serving.fellows_not_heard", {{"error", looked.error().message}});
    const auto now = SteadyClock::now();
    if (has_begun_ && now - said >= kBeat) {
      say(kHere);
      said = now;
    }
    if (looked && has_begun_) {
      static_cast<void>(log_.wait_for(0, next_, kFellowWait));
      continue;
    }
    std::unique_lock lock(mutex_);
    stopped_.wait_for(lock, stop, kFellowPause, [] { return false; });
  }
}

Result<void> FellowWatch::look() {
  if (!has_begun_) {
    const auto end = log::current_end(log_, 0);
    if (!end) return end.error();
    next_ = *end;
    has_begun_ = true;
  }
  next_ = std::max(next_, log_.begin(0));
  const auto records = log_.read(0, next_, kFellowRecords, kFellowBytes);
  if (!records) return records.error();
  const auto now = SteadyClock::now();
  for (const auto record : records->records) hear(record, now);
  next_ = std::max(next_, records->first + records->records.size());
  count(now);
  return {};
}

void FellowWatch::hear(std::string_view record, SteadyClock::time_point now) {
  if (record.size() != kRecordBytes) return;  // Of a later program.
  std::uint64_t id = 0;
  std::memcpy(&id, record.data() + 1, sizeof id);
  if (record[0] == kGone)
    heard_.erase(id);
  else if (record[0] == kHere)
    heard_[id] = now;
  if (id != id_ || record[0] != kHere) return;
  // After a silence the others may have given this one up, and it them.
  if (now - own_heard_.load() >= kSilent) known_since_ = now;
  own_heard_ = now;
}

void FellowWatch::count(SteadyClock::time_point now) {
  std::erase_if(heard_, [&](const auto& one) { return one.first != id_ && now - one.second >= kLost; });
  heard_.try_emplace(id_, now);  // Not heard yet, but here.
  const auto index = std::distance(heard_.begin(), heard_.find(id_));
  fellows_ =
      decision::Fellows{.count = static_cast<std::uint32_t>(heard_.size()), .index = static_cast<std::uint32_t>(index)};
  if (gauge_ != nullptr) gauge_->Set(static_cast<double>(heard_.size()));
}

void FellowWatch::say(char what) {
  std::string record(1, what);
  record.append(reinterpret_cast<const char*>(&id_), sizeof id_);
  std::vector<log::Batch> batches;
  batches.emplace_back(0).add(record, id_);
  log_.append(std::move(batches), [](const Result<void>&) {});  // One that is lost is followed by another.
}

}  // namespace marquee::serving
