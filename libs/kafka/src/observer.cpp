#include "observer.h"

#include <fmt/format.h>

#include <charconv>

namespace marquee::kafka {
namespace {

constexpr Millis kObservedWithin{10'000};
constexpr Millis kLookEvery{1'000};
constexpr Millis kWantedFor{10'000};
constexpr Millis kAskAgainAfter{50};

template <class T>
bool read_number(std::string_view& text, T& value, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool skip(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// Whether it is only not settled who leads the partition: its topic was just made, or its broker went away.
bool is_leader_being_found(rd_kafka_resp_err_t code) {
  return code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION || code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
         code == RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH || code == RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH;
}

/// What `ask(time left)` answers once the partition has a leader; its last answer where it has none within `wait`.
template <class Ask>
rd_kafka_resp_err_t ask_the_leader(Millis wait, Ask ask) {
  const auto deadline = std::chrono::steady_clock::now() + wait;
  for (auto left = wait;;) {
    const rd_kafka_resp_err_t code = ask(left);
    left = std::chrono::floor<Millis>(deadline - std::chrono::steady_clock::now());
    if (!is_leader_being_found(code) || left <= kAskAgainAfter) return code;
    std::this_thread::sleep_for(kAskAgainAfter);
    left -= kAskAgainAfter;
  }
}

}  // namespace

std::string metadata_of(const log::Progress& progress) {
  if (!progress.plan) return {};
  return fmt::format("plan {}-{} by {:x}", progress.plan->begin, progress.plan->end, progress.planner);
}

Result<log::Progress> parse_progress(std::int64_t offset, std::string_view metadata) {
  log::Progress progress;
  progress.next = static_cast<log::Offset>(offset);
  if (metadata.empty()) return progress;
  log::Range plan;
  std::string_view text = metadata;
  const bool is_plan = skip(text, "plan ") && read_number(text, plan.begin, 10) && skip(text, "-") &&
                       read_number(text, plan.end, 10) && skip(text, " by ") &&
                       read_number(text, progress.planner, 16) && text.empty();
  if (!is_plan || plan.begin != progress.next || plan.end <= plan.begin)
    return Error::give_up(fmt::format("the group's metadata at offset {} is no plan: \"{}\"", offset, metadata));
  progress.plan = plan;
  return progress;
}

Result<std::unique_ptr<Observer>> Observer::open(const KafkaLogOptions& options) {
  // The end is that of what is written, also where a transaction still holds it back: that waits, too.
  auto conf = configuration(
      options.cluster,
      {{"group.id", options.group}, {"enable.auto.commit", "false"}, {"isolation.level", "read_uncommitted"}});
  if (!conf) return conf.error();
  auto handle = make_client(RD_KAFKA_CONSUMER, std::move(*conf));
  if (!handle) return handle.error();
  std::unique_ptr<Observer> observer(new Observer(options.topic));
  observer->handle_ = std::move(*handle);
  return observer;
}

Result<std::optional<log::Progress>> Observer::progress(log::Partition partition) const {
  const PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), static_cast<std::int32_t>(partition));
  if (const auto code = rd_kafka_committed(handle_.get(), list.get(), to_timeout(kObservedWithin));
      code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return error_of(code, "cannot read the group's progress");
  const auto& element = list->elems[0];
  if (element.err != RD_KAFKA_RESP_ERR_NO_ERROR) return error_of(element.err, "cannot read the group's progress");
  if (element.offset < 0) return std::optional<log::Progress>();
  const std::string_view metadata(static_cast<const char*>(element.metadata),
                                  element.metadata == nullptr ? 0 : element.metadata_size);
  auto progress = parse_progress(element.offset, metadata);
  if (!progress) return progress.error();
  return std::optional<log::Progress>(*progress);
}

Result<log::Range> Observer::range(log::Partition partition, Millis wait) const {
  std::int64_t low = 0;
  std::int64_t high = 0;
  const auto code = ask_the_leader(wait, [&](Millis left) {
    return rd_kafka_query_watermark_offsets(handle_.get(), topic_.c_str(), static_cast<std::int32_t>(partition), &low,
                                            &high, to_timeout(left));
  });
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return error_of(code, "cannot ask for a partition's offsets");
  return log::Range{static_cast<log::Offset>(low), static_cast<log::Offset>(high)};
}

Result<log::Offset> Observer::offset_at(log::Partition partition, WallTime time) const {
  const PartitionList list(rd_kafka_topic_partition_list_new(1));
  auto& element = *rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), static_cast<std::int32_t>(partition));
  const auto code = ask_the_leader(kObservedWithin, [&](Millis left) {
    element.err = RD_KAFKA_RESP_ERR_NO_ERROR;
    element.offset = std::max<std::int64_t>(time.time_since_epoch().count(), 0);
    const auto asked = rd_kafka_offsets_for_times(handle_.get(), list.get(), to_timeout(left));
    return asked == RD_KAFKA_RESP_ERR_NO_ERROR ? element.err : asked;
  });
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return error_of(code, "cannot ask for the offset of a time");
  if (element.offset >= 0) return static_cast<log::Offset>(element.offset);
  const auto kept = range(partition, kObservedWithin);
  if (!kept) return kept.error();
  return kept->end;
}

Result<log::Partition> count_partitions(const KafkaLogOptions& options, Millis wait) {
  const auto inquirer = Inquirer::open(options.cluster);
  if (!inquirer) return inquirer.error();
  const auto metadata = (*inquirer)->metadata(options.topic.c_str(), wait);
  if (!metadata) return metadata.error();
  if ((*metadata)->topic_cnt != 1) return Error::retry("Kafka named no topic");
  const auto& one = (*metadata)->topics[0];
  if (one.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
    return Error::reject(fmt::format("there is no topic {}: run `marquee migrate up`", options.topic));
  if (one.err != RD_KAFKA_RESP_ERR_NO_ERROR) return error_of(one.err, "topic " + options.topic);
  if (one.partition_cnt <= 0) return Error::retry(fmt::format("topic {} has no partitions yet", options.topic));
  return static_cast<log::Partition>(one.partition_cnt);
}

log::Range Observer::recent_range(log::Partition partition) {
  {
    const std::lock_guard lock(mutex_);
    const auto [look, is_first] = looks_.try_emplace(partition);
    look->second.wanted = std::chrono::steady_clock::now();
    if (!is_first) return look->second.range;
    if (!looker_.joinable()) looker_ = std::jthread([this](std::stop_token stop) { look_again(std::move(stop)); });
  }
  const auto asked = range(partition, kLookEvery);
  const std::lock_guard lock(mutex_);
  Look& look = looks_[partition];
  if (asked) look.range = *asked;
  return look.range;
}

void Observer::look_again(std::stop_token stop) {
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, stop, kLookEvery, [&] { return stop.stop_requested(); })) {
    for (auto& [partition, look] : looks_) {
      if (stop.stop_requested()) return;
      if (std::chrono::steady_clock::now() - look.wanted > kWantedFor) continue;
      lock.unlock();  // Its broker may be away.
      const auto asked = range(partition, kLookEvery);
      lock.lock();
      if (asked) look.range = *asked;
    }
  }
}

Result<void> Observer::reach(Millis wait) const {
  const Topic topic(rd_kafka_topic_new(handle_.get(), topic_.c_str(), nullptr));
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto code = rd_kafka_metadata(handle_.get(), 0, topic.get(), &metadata, to_timeout(wait));
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return error_of(code, "Kafka does not answer");
  const Owned<const rd_kafka_metadata_t, rd_kafka_metadata_destroy> owned(metadata);
  return {};
}

}  // namespace marquee::kafka
