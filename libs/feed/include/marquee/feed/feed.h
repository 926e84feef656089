// A feed at work: each message of another producer's topic becomes one event of Marquee's log, or one dead letter,
// whatever dies.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "marquee/base/metrics.h"
#include "marquee/base/time.h"
#include "marquee/feed/description.h"
#include "marquee/feed/translator.h"
#include "marquee/kafka/relay.h"
#include "marquee/log/event_log.h"

namespace marquee::feed {

/// A message that could not become an event.
struct DeadLetter {
  std::string topic;
  log::Partition partition = 0;
  log::Offset offset = 0;
  std::string reason;
  std::string bytes;  ///< The message's value, or the beginning of one that is too large for Marquee's topic.
};

struct FeedOptions {
  Description description;
  kafka::Cluster cluster;
  std::string events_topic;
  log::Partition partitions = 1;  ///< Of it.
  std::string letters_topic;
  std::string group;  ///< Prefix of the feed's group, which ends with its name.
  std::string instance;
  Millis session{10'000};
  Millis transaction{10'000};
  /// Asked for each message: the site may change. nullopt: there is no such site (any more), and the feed waits for it.
  std::function<std::optional<Rules>()> rules;
  /// Takes dead letters, durably, before they are written to their topic and the feed goes on; may be given the same
  /// again. An error is waited out. Null: the topic alone has them.
  std::function<Result<void>(const std::vector<DeadLetter>&)> on_dead_letters;
  std::function<void(const std::string& why)> on_fatal;
  std::shared_ptr<const Clock> clock;          ///< Null: the system's.
  std::shared_ptr<metrics::Registry> metrics;  ///< Null: none.
};

struct FeedStatus {
  std::string name;
  std::string topic;
  /// By partition of the source.
  struct Partition {
    log::Partition partition = 0;
    std::string loader;        ///< "host:pid"; empty where none ever told of it.
    std::int64_t time_ms = 0;  ///< When it told.
    log::Offset next = 0;      ///< Everything before has become events, or dead letters.
    log::Offset end = 0;
    std::uint64_t events = 0, dead_letters = 0, ignored = 0;  ///< Since this loader took the partition.
    double messages_per_second = 0;                           ///< Over the last seconds.
    std::string last_error;                                   ///< Empty when the last transaction went well.
    [[nodiscard]] std::uint64_t lag() const { return end > next ? end - next : 0; }
  };
  std::vector<Partition> partitions;
};

/// Thread safe.
class Feed {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Feed>> open(FeedOptions options);
  ~Feed();
  [[nodiscard]] Result<void> start();
  void stop();
  /// Of the partitions that are this process's.
  [[nodiscard]] FeedStatus status() const;

 private:
  class Impl;
  explicit Feed(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The consumer group of a feed.
[[nodiscard]] std::string group_of(const std::string& prefix, const std::string& feed);

}  // namespace marquee::feed
