// A relay carries what is made of one topic's messages into other topics of the same cluster, exactly once: what is
// written and the progress in the source become visible together, by Kafka's transactions.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "marquee/kafka/cluster.h"
#include "marquee/log/event_log.h"

struct rd_kafka_message_s;

namespace marquee::kafka {

/// A message as it was read; lasts as long as the call that it is given to.
class Incoming {
 public:
  explicit Incoming(const rd_kafka_message_s& message) : message_(&message) {}
  [[nodiscard]] log::Partition partition() const;
  [[nodiscard]] log::Offset offset() const;
  /// Milliseconds since the Unix epoch; nullopt where the message has none.
  [[nodiscard]] std::optional<std::int64_t> timestamp_ms() const;
  [[nodiscard]] std::optional<std::string_view> key() const;
  [[nodiscard]] std::optional<std::string_view> value() const;
  /// The last header of that name.
  [[nodiscard]] std::optional<std::string_view> header(const std::string& name) const;

 private:
  const rd_kafka_message_s* message_;
};

/// A message to be written.
struct Outgoing {
  std::string topic;
  log::Partition partition = 0;
  std::string key;
  std::string value;
  std::vector<std::pair<std::string, std::string>> headers;
};

/// Makes messages of messages. Each partition has one of its own, used by one thread.
class RelayWork {
 public:
  virtual ~RelayWork() = default;
  /// Appends to `out` what becomes of `message`, which may be nothing. After an error nothing is appended, and the same
  /// message comes again after a pause, as long as that takes: what is wrong with a message is no error here.
  [[nodiscard]] virtual Result<void> make(const Incoming& message, std::vector<Outgoing>& out) = 0;
  /// Before what was made is written, each time that is tried: what must be known elsewhere first is made so here, in a
  /// way that can be done again. An error is waited out.
  [[nodiscard]] virtual Result<void> prepare() { return {}; }
  /// What was made of the messages before `next` is to be seen from now on.
  virtual void committed(log::Offset next) = 0;
};

struct RelayOptions {
  Cluster cluster;
  std::string topic;     ///< The source.
  std::string group;     ///< Relays of one group share the partitions.
  std::string instance;  ///< Static membership, as KafkaLogOptions::instance.
  Millis session{10'000};
  /// A transaction that its owner, dead or cut off, has left open is ended after this by the brokers; so long it may
  /// keep readers of what it wrote from going on. Whoever takes its partition over ends it sooner.
  Millis transaction{10'000};
  bool from_end = false;              ///< Where the group has no progress: from now on, instead of from the beginning.
  Millis linger{50};                  ///< How long a transaction gathers messages, where few come.
  std::size_t max_messages = 5'000;   ///< Of the source, in one transaction.
  std::size_t max_bytes = 4u << 20u;  ///< Written in one transaction, about.
  std::function<std::unique_ptr<RelayWork>(log::Partition)> make_work;
  std::function<void(const std::string& why)> on_fatal;  ///< As KafkaLogOptions::on_fatal.
};

/// How a partition of the source stands.
struct RelayPartition {
  log::Partition partition = 0;
  log::Offset next = 0;    ///< Everything before is done with.
  log::Offset end = 0;     ///< One past the last message of the source.
  std::string last_error;  ///< Empty when the last transaction went well.
};

/// Thread safe.
class Relay {
 public:
  virtual ~Relay() = default;
  /// Joins the group. A source that does not exist yet is waited for.
  [[nodiscard]] virtual Result<void> start() = 0;
  /// Ends the transactions under way, and leaves.
  virtual void stop() = 0;
  /// Of the partitions that are this process's.
  [[nodiscard]] virtual std::vector<RelayPartition> partitions() const = 0;
};

[[nodiscard]] Result<std::unique_ptr<Relay>> open_relay(RelayOptions options);

/// How every partition of the topic stands with the group, whoever has it.
[[nodiscard]] Result<std::vector<RelayPartition>> relay_standings(const Cluster& cluster, const std::string& topic,
                                                                  const std::string& group,
                                                                  Millis wait = Millis(10'000));

}  // namespace marquee::kafka
