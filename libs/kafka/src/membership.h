// A member of the consumer group: which partitions are ours, and the group's committed progress.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "handle.h"
#include "join_watch.h"
#include "marquee/kafka/kafka_log.h"

namespace marquee::kafka {

using GroupMetadata = Owned<rd_kafka_consumer_group_metadata_t, rd_kafka_consumer_group_metadata_destroy>;

/// Reads no messages: its partitions are paused. Thread safe.
class Membership {
 public:
  /// `follower` must outlive leave().
  [[nodiscard]] static Result<std::unique_ptr<Membership>> open(const KafkaLogOptions& options,
                                                                log::Follower& follower);
  ~Membership();
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

  /// From now on the follower hears of partitions.
  [[nodiscard]] Result<void> join();
  /// Leaves the group (with an instance name: lets its partitions wait for it), releasing them.
  void leave();

  /// One commit for all. Action::reject where one of them is not ours.
  [[nodiscard]] Result<void> commit(const std::vector<std::pair<log::Partition, log::Progress>>& all);

  /// What the group has committed, after transactions that are under way have ended; nullopt where nothing ever was.
  [[nodiscard]] Result<std::optional<log::Offset>> committed(log::Partition partition) const;
  /// By which the brokers know whether a transaction's progress is of this generation of the group; null where there is
  /// none.
  [[nodiscard]] GroupMetadata group_metadata() const;

 private:
  Membership(const KafkaLogOptions& options, log::Follower& follower);
  static void on_rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t what, rd_kafka_topic_partition_list_t* list,
                           void* self);
  void assign(rd_kafka_topic_partition_list_t* list);
  void revoke(rd_kafka_topic_partition_list_t* list);
  void serve();
  void note_error(rd_kafka_resp_err_t code, const char* text);

  const std::string topic_;
  const std::string instance_;
  const std::function<void(const std::string&)> on_fatal_;
  const Millis session_;
  log::Follower& follower_;
  std::unique_ptr<JoinWatch> joins_ = std::make_unique<JoinWatch>();
  Handle handle_;
  /// Held through a commit, so that what is lost meanwhile is not committed under the name of the next generation.
  mutable std::mutex mutex_;
  std::set<log::Partition> owned_;
  std::atomic<bool> stops_{false};
  bool is_fatal_ = false;
  std::atomic<bool> was_assigned_{false};
  std::thread thread_;
};

}  // namespace marquee::kafka
