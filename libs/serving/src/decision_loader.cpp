#include "marquee/serving/decision_loader.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <string>

#include "decision_record.h"
#include "marquee/base/logging.h"
#include "marquee/base/thread_priority.h"
#include "marquee/log/erasable.h"

namespace marquee::serving {
namespace {

constexpr std::size_t kLoadedRecords = 50'000, kLoadedBytes = std::size_t{8} << 20;
/// Between inserts: each makes a part of the table, whatever its size.
constexpr auto kLinger = std::chrono::milliseconds(250);
constexpr auto kPatience = std::chrono::seconds(1);

}  // namespace

DecisionLoader::DecisionLoader(log::EventLog& decisions, clickhouse::Client& store,
                               std::shared_ptr<metrics::Registry> metrics)
    : decisions_(decisions), store_(store) {
  if (!metrics) return;
  landed_ = &prometheus::BuildCounter()
                 .Name("marquee_decisions_landed_total")
                 .Help("Decisions that the store has")
                 .Register(*metrics)
                 .Add({});
}

void DecisionLoader::start() {
  decisions_.follow(*this);
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void DecisionLoader::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  decisions_.unfollow();
}

void DecisionLoader::take(const std::vector<log::Partition>& partitions) {
  const std::lock_guard lock(mutex_);
  for (const auto partition : partitions) next_[partition] = std::nullopt;
}

/// An insert under way may go on: what it lands, the next loader lands again, and the log refuses to confirm it.
void DecisionLoader::release(const std::vector<log::Partition>& partitions, bool) {
  const std::lock_guard lock(mutex_);
  for (const auto partition : partitions) next_.erase(partition);
}

void DecisionLoader::run(const std::stop_token& stop) {
  give_way();
  std::string last_error;
  while (!stop.stop_requested()) {
    auto wait = kLinger;
    std::vector<log::Partition> own;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [partition, next] : next_) own.push_back(partition);
    }
    for (const auto partition : own) {
      const auto done = load_some(partition);
      const std::string error = done ? "" : done.error().message;
      if (error != last_error && !error.empty())
        logging::warn("serving.decisions_wait", {{"partition", partition}, {"error", error}});
      last_error = error;
      if (!done) set_next(partition, std::nullopt);
      if (!done) wait = kPatience;
    }
    std::unique_lock lock(mutex_);
    stopped_.wait_for(lock, stop, wait, [] { return false; });
  }
}

Result<log::Offset> DecisionLoader::next_of(log::Partition partition) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = next_.find(partition);
    if (found != next_.end() && found->second) return *found->second;
  }
  const auto progress = decisions_.progress(partition);
  if (!progress) return progress.error();
  const auto begin = decisions_.begin(partition);
  if (begin > progress->next)
    logging::error("serving.decisions_lost", {{"partition", partition}, {"from", progress->next}, {"to", begin}});
  return std::max(begin, progress->next);
}

void DecisionLoader::set_next(log::Partition partition, std::optional<log::Offset> next) {
  const std::lock_guard lock(mutex_);
  if (const auto found = next_.find(partition); found != next_.end()) found->second = next;
}

Result<void> DecisionLoader::load_some(log::Partition partition) {
  const auto next = next_of(partition);
  if (!next) return next.error();
  const auto records = decisions_.read(partition, *next, kLoadedRecords, kLoadedBytes);
  if (!records) return records.error();
  const auto end = records->first + records->records.size();
  set_next(partition, end);
  if (records->records.empty()) return {};
  std::size_t decisions = 0;
  std::map<std::string_view, std::string> rows_by_insert;
  for (const auto record : records->records) {
    if (log::is_erased(record)) continue;
    const auto landing = landing_of(record);
    if (!landing) return landing.error();
    rows_by_insert[landing->insert] += landing->rows;
    decisions += landing->is_decision ? 1 : 0;
  }
  for (const auto& [insert, rows] : rows_by_insert)
    if (auto inserted = store_.insert(insert, "RowBinary", rows); !inserted) return inserted.error().error;
  if (auto confirmed = decisions_.confirm(partition, end); !confirmed) return confirmed.error();
  if (landed_ != nullptr) landed_->Increment(static_cast<double>(decisions));
  return {};
}

}  // namespace marquee::serving
