#include "membership.h"

#include <fmt/format.h>

#include <cstring>

#include "marquee/base/logging.h"
#include "observer.h"

namespace marquee::kafka {
namespace {

constexpr int kServeEvery = 100;

std::vector<log::Partition> partitions_of(const rd_kafka_topic_partition_list_t* list) {
  std::vector<log::Partition> partitions;
  for (int i = 0; i < list->cnt; ++i) partitions.push_back(static_cast<log::Partition>(list->elems[i].partition));
  return partitions;
}

void set_metadata(rd_kafka_topic_partition_t& element, const std::string& metadata) {
  element.metadata = std::malloc(metadata.size());  // Freed with the list.
  std::memcpy(element.metadata, metadata.data(), metadata.size());
  element.metadata_size = metadata.size();
}

}  // namespace

Result<std::unique_ptr<Membership>> Membership::open(const KafkaLogOptions& options, log::Follower& follower) {
  std::map<std::string, std::string> own = {
      {"group.id", options.group},
      {"partition.assignment.strategy", "cooperative-sticky"},
      {"session.timeout.ms", std::to_string(options.session.count())},
      {"heartbeat.interval.ms", std::to_string(std::max<std::int64_t>(options.session.count() / 5, 100))},
      {"max.poll.interval.ms", std::to_string(std::max<std::int64_t>(options.session.count(), 600'000))},
      {"enable.auto.commit", "false"},
      {"enable.auto.offset.store", "false"},
      {"fetch.message.max.bytes", "1024"},  // What is fetched before the partitions are paused is thrown away.
      {"queued.min.messages", "1"}};
  if (!options.instance.empty()) own["group.instance.id"] = options.instance;
  auto conf = configuration(options.cluster, own);
  if (!conf) return conf.error();
  std::unique_ptr<Membership> member(new Membership(options, follower));
  rd_kafka_conf_set_opaque(conf->get(), member.get());
  rd_kafka_conf_set_rebalance_cb(conf->get(), on_rebalance);
  member->joins_->attach(conf->get());
  auto handle = make_client(RD_KAFKA_CONSUMER, std::move(*conf));
  if (!handle) return handle.error();
  member->handle_ = std::move(*handle);
  rd_kafka_poll_set_consumer(member->handle_.get());
  return member;
}

Result<void> Membership::join() {
  const PartitionList topics(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(topics.get(), topic_.c_str(), RD_KAFKA_PARTITION_UA);
  if (const auto code = rd_kafka_subscribe(handle_.get(), topics.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return error_of(code, "cannot join the loaders' group");
  thread_ = std::thread([this] { serve(); });
  return {};
}

Membership::Membership(const KafkaLogOptions& options, log::Follower& follower)
    : topic_(options.topic),
      instance_(options.instance),
      on_fatal_(options.on_fatal),
      session_(options.session),
      follower_(follower) {}

Membership::~Membership() { leave(); }

void Membership::leave() {
  if (stops_.exchange(true)) return;
  if (thread_.joinable()) thread_.join();
  rd_kafka_consumer_close(handle_.get());  // Revokes, through on_rebalance.
  // librdkafka 2.0.2 ends the process (an assertion in its sticky assignor) where a client is destroyed that has joined
  // the group and was never assigned anything; so that one is left to the end of the process.
  if (!was_assigned_) {
    static_cast<void>(handle_.release());
    static_cast<void>(joins_.release());
  }
}

void Membership::serve() {
  while (!stops_) {
    const Owned<rd_kafka_message_t, rd_kafka_message_destroy> message(
        rd_kafka_consumer_poll(handle_.get(), kServeEvery));
    if (message && message->err != RD_KAFKA_RESP_ERR_NO_ERROR)
      note_error(message->err, rd_kafka_message_errstr(message.get()));
  }
}

void Membership::note_error(rd_kafka_resp_err_t code, const char* text) {
  logging::warn("kafka.group", {{"error", rd_kafka_err2name(code)}, {"text", text}});
  char why[512];
  const auto fatal = rd_kafka_fatal_error(handle_.get(), why, sizeof why);
  if (is_fatal_ || fatal == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  is_fatal_ = true;
  std::set<log::Partition> lost;
  {
    const std::lock_guard lock(mutex_);
    lost.swap(owned_);
  }
  follower_.release({lost.begin(), lost.end()}, /*is_lost=*/true);
  if (!on_fatal_) return;
  const bool is_fenced = fatal == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID;
  on_fatal_(is_fenced ? fmt::format("another loader has joined the group under this one's name, {}: give each a "
                                    "kafka.instance of its own",
                                    instance_)
                      : why);
}

void Membership::on_rebalance(rd_kafka_t*, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* list,
                              void* self) {
  auto& member = *static_cast<Membership*>(self);
  member.was_assigned_ = true;
  if (what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
    member.assign(list);
  else
    member.revoke(list);
}

void Membership::assign(rd_kafka_topic_partition_list_t* list) {
  for (int i = 0; i < list->cnt; ++i) list->elems[i].offset = RD_KAFKA_OFFSET_END;
  rd_kafka_error_t* error = rd_kafka_incremental_assign(handle_.get(), list);
  if (error != nullptr) {
    logging::warn("kafka.assign", {{"error", rd_kafka_error_string(error)}});
    rd_kafka_error_destroy(error);
    return;
  }
  rd_kafka_pause_partitions(handle_.get(), list);
  const auto gained = partitions_of(list);
  {
    const std::lock_guard lock(mutex_);
    owned_.insert(gained.begin(), gained.end());
  }
  logging::info(
      "kafka.partitions_gained",
      {{"topic", topic_}, {"count", gained.size()}, {"partitions", fmt::format("{}", fmt::join(gained, ","))}});
  follower_.take(gained);
}

void Membership::revoke(rd_kafka_topic_partition_list_t* list) {
  const bool is_lost = rd_kafka_assignment_lost(handle_.get()) != 0;
  const auto gone = partitions_of(list);
  const auto disown = [&] {
    const std::lock_guard lock(mutex_);
    for (const log::Partition partition : gone) owned_.erase(partition);
  };
  if (is_lost) disown();
  logging::info("kafka.partitions_released", {{"topic", topic_},
                                              {"count", gone.size()},
                                              {"partitions", fmt::format("{}", fmt::join(gone, ","))},
                                              {"is_lost", is_lost}});
  follower_.release(gone, is_lost);
  disown();
  if (rd_kafka_error_t* error = rd_kafka_incremental_unassign(handle_.get(), list); error != nullptr) {
    logging::warn("kafka.unassign", {{"error", rd_kafka_error_string(error)}});
    rd_kafka_error_destroy(error);
  }
}

Result<void> Membership::commit(const std::vector<std::pair<log::Partition, log::Progress>>& all) {
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(all.size())));
  for (const auto& [partition, progress] : all) {
    auto* element = rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), static_cast<std::int32_t>(partition));
    element->offset = static_cast<std::int64_t>(progress.next);
    if (const std::string metadata = metadata_of(progress); !metadata.empty()) set_metadata(*element, metadata);
  }
  joins_->wait(session_);
  const std::lock_guard lock(mutex_);
  for (const auto& [partition, progress] : all) {
    if (!owned_.contains(partition))
      return Error::reject(fmt::format("partition {} is another loader's now", partition));
  }
  // A refusal because of the group's generation is tried again: either the partitions are still ours in the next one,
  // or we hear that they are lost, and are refused above.
  if (const auto code = rd_kafka_commit(handle_.get(), list.get(), /*async=*/0); code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Error::retry(error_of(code, "the group's commit was refused").message);
  for (int i = 0; i < list->cnt; ++i) {
    if (list->elems[i].err != RD_KAFKA_RESP_ERR_NO_ERROR)
      return Error::retry(error_of(list->elems[i].err, "the group's commit was refused").message);
  }
  return {};
}

Result<std::optional<log::Offset>> Membership::committed(log::Partition partition) const {
  const PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic_.c_str(), static_cast<std::int32_t>(partition));
  if (const auto code = rd_kafka_committed(handle_.get(), list.get(), to_timeout(kAnswerWithin));
      code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Error::retry(error_of(code, "cannot read the group's progress").message);
  const auto& element = list->elems[0];
  if (element.err != RD_KAFKA_RESP_ERR_NO_ERROR)
    return Error::retry(error_of(element.err, "cannot read the group's progress").message);
  if (element.offset < 0) return std::optional<log::Offset>();
  return std::optional(static_cast<log::Offset>(element.offset));
}

GroupMetadata Membership::group_metadata() const {
  return GroupMetadata(rd_kafka_consumer_group_metadata(handle_.get()));
}

}  // namespace marquee::kafka
