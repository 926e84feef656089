#include "source.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace marquee::kafka {
namespace {

constexpr std::size_t kFetchedAtOnce = 4'096;

std::size_t bytes_of(const rd_kafka_message_t& message) { return message.len; }

}  // namespace

Result<std::unique_ptr<Source>> Source::open(const KafkaLogOptions& options, log::Partition partitions) {
  auto conf = configuration(options.cluster,
                            {{"auto.offset.reset", "error"},
                             {"enable.auto.commit", "false"},
                             {"enable.partition.eof", "true"},
                             {"fetch.wait.max.ms", "200"},
                             {"fetch.error.backoff.ms", "100"},
                             {"fetch.message.max.bytes",
                              std::to_string(std::min<std::uint64_t>(options.prefetch_bytes, std::uint64_t{4} << 20))},
                             {"queued.min.messages", "100000"},
                             {"queued.max.messages.kbytes", std::to_string(options.prefetch_bytes / 1024)}});
  if (!conf) return conf.error();
  auto handle = make_client(RD_KAFKA_CONSUMER, std::move(*conf));
  if (!handle) return handle.error();
  std::unique_ptr<Source> source(new Source(options, partitions));
  source->handle_ = std::move(*handle);
  source->topic_ = Topic(rd_kafka_topic_new(source->handle_.get(), options.topic.c_str(), nullptr));
  return source;
}

Source::~Source() {
  for (std::size_t p = 0; p < places_.size(); ++p) stop(static_cast<log::Partition>(p));
}

bool Source::continues(log::Partition partition, log::Offset from) const {
  const Place& place = places_[partition];
  const std::lock_guard lock(place.mutex);
  return !place.is_started || place.next == from;
}

Result<void> Source::start(Place& place, log::Partition partition, log::Offset from) {
  stop_locked(place, partition);
  if (rd_kafka_consume_start(topic_.get(), static_cast<std::int32_t>(partition), static_cast<std::int64_t>(from)) != 0)
    return error_of(rd_kafka_last_error(), fmt::format("cannot read partition {}", partition));
  place.is_started = true;
  place.next = from;
  return {};
}

void Source::stop(log::Partition partition) {
  Place& place = places_[partition];
  const std::lock_guard lock(place.mutex);
  stop_locked(place, partition);
}

void Source::stop_locked(Place& place, log::Partition partition) {
  place.ahead.clear();
  if (place.is_started) rd_kafka_consume_stop(topic_.get(), static_cast<std::int32_t>(partition));
  place.is_started = false;
}

Result<log::Records> Source::read(log::Partition partition, log::Offset from, std::size_t max_records,
                                  std::size_t max_bytes, Millis wait) {
  Place& place = places_[partition];
  const std::lock_guard lock(place.mutex);
  if (!place.is_started || place.next != from) {
    if (auto started = start(place, partition, from); !started) return started.error();
  }
  auto kept = std::make_shared<std::vector<Received>>();
  log::Records result;
  result.first = from;
  std::size_t bytes = 0;
  const auto take = [&](Received message) {
    const auto offset = static_cast<log::Offset>(message->offset);
    if (kept->empty()) result.first = offset;
    result.records.emplace_back(static_cast<const char*>(message->payload), message->len);
    bytes += bytes_of(*message);
    place.next = offset + 1;
    kept->push_back(std::move(message));
  };
  const auto deadline = std::chrono::steady_clock::now() + wait;
  while (result.records.size() < max_records && bytes < max_bytes) {
    const auto left = std::chrono::ceil<Millis>(deadline - std::chrono::steady_clock::now());
    if (place.ahead.empty() &&
        !fetch(place, partition, max_records - result.records.size(), kept->empty() ? left : Millis(0)))
      break;
    const rd_kafka_message_t& next = *place.ahead.front();
    if (next.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      // What lies between the last record and here is none: transactions' marks, and what was written in vain.
      const auto end = static_cast<log::Offset>(next.offset);
      if (!kept->empty() && end > place.next) break;  // A gap.
      place.ahead.pop_front();
      if (kept->empty()) place.next = result.first = std::max(place.next, end);
      if (result.first != from) break;
      continue;
    }
    if (next.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (!kept->empty()) break;  // It is told when it comes first.
      Error error = error_of(next.err, fmt::format("reading partition {} at offset {}", partition, place.next));
      stop_locked(place, partition);
      return error;
    }
    if (static_cast<log::Offset>(next.offset) < place.next) {  // Before where a fetch was to begin.
      place.ahead.pop_front();
      continue;
    }
    if (!kept->empty() && static_cast<log::Offset>(next.offset) != place.next) break;  // A gap.
    Received message = std::move(place.ahead.front());
    place.ahead.pop_front();
    take(std::move(message));
  }
  result.holder = std::move(kept);
  return result;
}

bool Source::fetch(Place& place, log::Partition partition, std::size_t max_records, Millis wait) {
  const auto number = static_cast<std::int32_t>(partition);
  if (wait > Millis(0)) {
    // A call for many waits until it has them all; so the wait is for one.
    Received first(rd_kafka_consume(topic_.get(), number, to_timeout(wait)));
    if (!first) return false;
    place.ahead.push_back(std::move(first));
    return true;
  }
  std::array<rd_kafka_message_t*, kFetchedAtOnce> fetched{};
  const auto count =
      rd_kafka_consume_batch(topic_.get(), number, 0, fetched.data(), std::min(max_records, kFetchedAtOnce));
  for (ssize_t i = 0; i < count; ++i) place.ahead.emplace_back(fetched[static_cast<std::size_t>(i)]);
  return count > 0;
}

bool Source::wait(log::Partition partition, Millis limit) {
  Place& place = places_[partition];
  const std::lock_guard lock(place.mutex);
  if (!place.ahead.empty()) return true;
  if (!place.is_started) return false;
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto left = std::chrono::ceil<Millis>(deadline - std::chrono::steady_clock::now());
    if (left < Millis(0)) return false;
    Received message(rd_kafka_consume(topic_.get(), static_cast<std::int32_t>(partition), to_timeout(left)));
    if (!message) return false;
    const bool is_end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
    if (is_end && static_cast<log::Offset>(message->offset) <= place.next) continue;  // Nothing new.
    place.ahead.push_back(std::move(message));
    return true;
  }
}

std::optional<log::Range> Source::known_range(log::Partition partition) const {
  std::int64_t low = 0;
  std::int64_t high = 0;
  const auto code = rd_kafka_get_watermark_offsets(handle_.get(), topic_name_.c_str(),
                                                   static_cast<std::int32_t>(partition), &low, &high);
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR || high < 0) return std::nullopt;
  return log::Range{static_cast<log::Offset>(std::max<std::int64_t>(low, 0)), static_cast<log::Offset>(high)};
}

}  // namespace marquee::kafka
