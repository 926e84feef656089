// KafkaLog: the EventLog of many machines, on one topic of Apache Kafka. A record is a message, its offset the
// message's.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "marquee/base/metrics.h"
#include "marquee/base/time.h"
#include "marquee/kafka/cluster.h"
#include "marquee/log/event_log.h"

namespace marquee::kafka {

struct KafkaLogOptions {
  Cluster cluster;
  std::string topic = "marquee.events";
  std::string group = "marquee-loader";  ///< Loaders of one group share the partitions; their progress is the group's.
  std::string instance;                  ///< Static membership: this loader keeps its partitions over a quick restart.
  Millis session{10'000};                ///< A loader that is silent for so long loses its partitions.
  Millis acknowledge{10'000};            ///< Appends that the brokers have not acknowledged by then fail.
  /// What is not acknowledged in time is kept elsewhere (a spill): appends wait for the brokers however long they are
  /// away, so that none overtakes one before it; `acknowledge` then says how long close() waits.
  bool is_backed = false;
  log::Partition assumed_partitions = 0;  ///< Of the topic, where no broker answers in time; 0: opening fails then.
  Millis linger{2};                       ///< How long a message waits for others of its partition.
  std::uint64_t max_pending_bytes = std::uint64_t{128} << 20;  ///< Appends not yet acknowledged; beyond: Action::retry.
  std::uint64_t prefetch_bytes = std::uint64_t{16} << 20;      ///< Read ahead, per partition.
  /// Called once, on a thread of the log, when this member can never work again (another took its instance name).
  std::function<void(const std::string& why)> on_fatal;
  std::shared_ptr<metrics::Registry> metrics;  ///< Null: none.
};

/// Connects and learns the topic's partitions. Action::retry where no broker answers within `wait` and none are
/// assumed, Action::reject where there is no such topic, or where the brokers refuse this client or it them (password,
/// certificate). Thread safe, as every EventLog.
///
/// append: acks=all, idempotent. follow: joins the group (cooperative-sticky); plan and confirm are commits of the
/// group's offsets, with the plan as their metadata, and are refused to who is no longer the partition's owner. An
/// append that fails may have been kept in part.
[[nodiscard]] Result<std::unique_ptr<log::EventLog>> open_kafka_log(KafkaLogOptions options,
                                                                    Millis wait = Millis(10'000));

/// The key of a record's message, for the key that log::Batch::add was given: eight bytes, the greatest first.
[[nodiscard]] std::string record_key(std::uint64_t key);

}  // namespace marquee::kafka
