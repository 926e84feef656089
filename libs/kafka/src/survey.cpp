#include "survey.h"

#include <algorithm>

#include "group_description.h"
#include "observer.h"

namespace marquee::kafka {
namespace {

constexpr Millis kRecordsWithin{2'000};
/// Waited for in full where a broker is away: all of them are asked which groups they have.
constexpr Millis kGroupWithin{1'000};

}  // namespace

Result<std::unique_ptr<Survey>> Survey::open(const KafkaLogOptions& options, log::Partition partitions) {
  // What is written behind a transaction that is still open waits, too.
  auto conf = configuration(options.cluster, {{"group.id", options.group},
                                              {"enable.auto.commit", "false"},
                                              {"isolation.level", "read_uncommitted"},
                                              {"auto.offset.reset", "error"},
                                              {"fetch.wait.max.ms", "100"},
                                              {"fetch.error.backoff.ms", "100"},
                                              {"fetch.message.max.bytes", "65536"},
                                              {"queued.min.messages", "1"}});
  if (!conf) return conf.error();
  auto handle = make_client(RD_KAFKA_CONSUMER, std::move(*conf));
  if (!handle) return handle.error();
  std::unique_ptr<Survey> survey(new Survey(options, partitions));
  survey->handle_ = std::move(*handle);
  survey->topic_ = Topic(rd_kafka_topic_new(survey->handle_.get(), options.topic.c_str(), nullptr));
  return survey;
}

Result<std::vector<log::Standing>> Survey::look() {
  const std::lock_guard lock(mutex_);
  Standings standings(partitions_);
  const auto begins = offsets_at(RD_KAFKA_OFFSET_BEGINNING);
  if (!begins) return begins.error();
  for (std::size_t p = 0; p < standings.size(); ++p) standings[p].kept.begin = (*begins)[p];
  // Before the ends are asked for, so that a loader at work never seems ahead of its log.
  if (auto found = find_landed(standings); !found) return found.error();
  const auto ends = offsets_at(RD_KAFKA_OFFSET_END);
  if (!ends) return ends.error();
  for (std::size_t p = 0; p < standings.size(); ++p) standings[p].kept.end = (*ends)[p];
  find_times(standings);
  if (const auto have = followed_partitions(handle_.get(), group_, topic_name_, kGroupWithin)) {
    for (std::size_t p = 0; p < standings.size(); ++p)
      standings[p].is_followed = have->contains(static_cast<log::Partition>(p));
  }
  return standings;
}

PartitionList Survey::every_partition(std::int64_t offset) const {
  PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions_)));
  for (log::Partition p = 0; p < partitions_; ++p) {
    rd_kafka_topic_partition_list_add(list.get(), topic_name_.c_str(), static_cast<std::int32_t>(p))->offset = offset;
  }
  return list;
}

// ListOffsets takes -1 and -2 in a timestamp's place (KIP-79), which are librdkafka's END and BEGINNING.
Result<std::vector<log::Offset>> Survey::offsets_at(std::int64_t end) {
  const auto list = every_partition(end);
  const auto code = rd_kafka_offsets_for_times(handle_.get(), list.get(), to_timeout(kAnswerWithin));
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return Error::retry(error_of(code, "cannot ask for offsets").message);
  std::vector<log::Offset> offsets(partitions_);
  for (int i = 0; i < list->cnt; ++i) {
    const auto& element = list->elems[i];
    if (element.err != RD_KAFKA_RESP_ERR_NO_ERROR)
      return Error::retry(error_of(element.err, "cannot ask for a partition's offsets").message);
    offsets[static_cast<std::size_t>(element.partition)] = static_cast<log::Offset>(element.offset);
  }
  return offsets;
}

Result<void> Survey::find_landed(Standings& standings) {
  const auto list = every_partition(RD_KAFKA_OFFSET_INVALID);
  const auto code = rd_kafka_committed(handle_.get(), list.get(), to_timeout(kAnswerWithin));
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Error::retry(error_of(code, "cannot read the group's progress").message);
  for (int i = 0; i < list->cnt; ++i) {
    const auto& element = list->elems[i];
    if (element.err != RD_KAFKA_RESP_ERR_NO_ERROR)
      return Error::retry(error_of(element.err, "cannot read the group's progress").message);
    auto& one = standings[static_cast<std::size_t>(element.partition)];
    one.landed = element.offset < 0 ? one.kept.begin : static_cast<log::Offset>(element.offset);
  }
  return {};
}

void Survey::find_times(Standings& standings) {
  const Queue queue(rd_kafka_queue_new(handle_.get()));
  std::set<log::Partition> asked;
  for (log::Partition p = 0; p < partitions_; ++p) {
    const auto& one = standings[p];
    if (one.landed >= one.kept.end) continue;
    if (const auto place = places_.find(p); place != places_.end() && place->second.offset == one.landed) continue;
    const auto from = static_cast<std::int64_t>(std::max(one.landed, one.kept.begin));
    if (rd_kafka_consume_start_queue(topic_.get(), static_cast<std::int32_t>(p), from, queue.get()) == 0)
      asked.insert(p);
  }
  const auto deadline = std::chrono::steady_clock::now() + kRecordsWithin;
  for (auto waiting = asked; !waiting.empty();) {
    const auto left = std::chrono::ceil<Millis>(deadline - std::chrono::steady_clock::now());
    if (left <= Millis(0)) break;
    const Received message(rd_kafka_consume_queue(queue.get(), to_timeout(left)));
    if (!message) break;
    const auto p = static_cast<log::Partition>(message->partition);
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR && waiting.contains(p)) {
      rd_kafka_timestamp_type_t kind{};
      const auto time = rd_kafka_message_timestamp(message.get(), &kind);
      if (kind != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE) places_[p] = {standings[p].landed, time};
    }
    waiting.erase(p);
  }
  for (const log::Partition p : asked) rd_kafka_consume_stop(topic_.get(), static_cast<std::int32_t>(p));
  for (const auto& [p, place] : places_) {
    const auto& one = standings[p];
    if (one.landed < one.kept.end && one.landed == place.offset) standings[p].waiting_since_ms = place.time_ms;
  }
}

}  // namespace marquee::kafka
