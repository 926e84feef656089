#include "marquee/profile/erasure.h"

#include <xxhash.h>

#include <future>
#include <utility>

#include "marquee/base/logging.h"
#include "marquee/base/time.h"
#include "marquee/log/await_records.h"
#include "marquee/log/current_end.h"
#include "marquee/profile/permission.h"
#include "raw_bytes.h"

namespace marquee::profile {
namespace {

constexpr char kForm = '1';
constexpr std::size_t kRecords = 10'000, kBytes = std::size_t{1} << 20;
constexpr Millis kWait{100}, kPause{250};

}  // namespace

std::string encode(const Erasure& erasure) {
  std::string record(1, kForm);
  append(record, erasure.user_key);
  append(record, erasure.before);
  append(record, erasure.asked_ms);
  return record += erasure.site_id;
}

std::optional<Erasure> decode_erasure(std::string_view record) {
  if (!record.starts_with(kForm)) return std::nullopt;
  record.remove_prefix(1);
  Erasure erasure;
  const bool is_whole =
      take(record, erasure.user_key) && take(record, erasure.before) && take(record, erasure.asked_ms);
  if (!is_whole || record.empty()) return std::nullopt;
  erasure.site_id = record;
  return erasure;
}

Result<Erasure> tell_erasure(log::EventLog& erasures, log::EventLog& events, std::string_view site_id,
                             std::uint64_t user_key) {
  const auto id = profile_id(site_id, user_key);
  if (!id) return Error::reject("a user without key has no profile");
  const auto end = log::current_end(events, static_cast<log::Partition>(id->value % events.partitions()));
  if (!end) return end.error();
  Erasure erasure{.site_id = std::string(site_id),
                  .user_key = user_key,
                  .before = *end,
                  .asked_ms = SystemClock().now().time_since_epoch().count()};
  const auto record = encode(erasure);
  std::vector<log::Batch> batches;
  // The log keeps the newest record of a key for ever. Each is a key of its own: of two that are told side by side the
  // first may be of the later end.
  batches.emplace_back(0).add(record, XXH3_64bits(record.data(), record.size()));
  std::promise<Result<void>> done;
  auto is_durable = done.get_future();
  erasures.append(std::move(batches), [&](Result<void> appended) { done.set_value(std::move(appended)); });
  if (const auto appended = is_durable.get(); !appended) return appended.error();
  return erasure;
}

Result<void> ErasureReader::catch_up() {
  const auto end = log::current_end(log_, 0);
  if (!end) return end.error();
  while (next_ < *end) {
    const auto records = log::await_records(log_, 0, next_, kRecords, kBytes);
    if (!records) return records.error();
    take(*records);
  }
  return {};
}

void ErasureReader::take(const log::Records& records) {
  std::vector<ToldErasure> told;
  auto offset = records.first;
  for (const auto record : records.records) {
    if (auto erasure = decode_erasure(record))
      told.push_back({std::move(*erasure), offset});
    else
      logging::error("profile.erasure_not_read", {{"offset", offset}, {"reason", "it is of a later program"}});
    ++offset;
  }
  next_ = std::max(next_, offset);
  if (!told.empty()) on_erasures_(told);
}

void ErasureReader::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void ErasureReader::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void ErasureReader::run(const std::stop_token& stop) {
  bool has_failed = false;
  while (!stop.stop_requested()) {
    if (const auto records = log_.read(0, next_, kRecords, kBytes)) {
      has_failed = false;
      const bool has_some = !records->records.empty();
      take(*records);
      if (has_some || log_.wait_for(0, next_, kWait)) continue;
    } else {
      if (!std::exchange(has_failed, true))
        logging::warn("profile.erasures_not_read", {{"error", records.error().message}});
    }
    // Not at once again: a log that has nothing may say so without waiting.
    std::unique_lock lock(mutex_);
    stopped_.wait_for(lock, stop, has_failed ? kPause : Millis(1), [] { return false; });
  }
}

}  // namespace marquee::profile
