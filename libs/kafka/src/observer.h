// Looks at the topic and at the group's progress without being a member.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "handle.h"
#include "marquee/kafka/kafka_log.h"

namespace marquee::kafka {

/// Thread safe.
class Observer {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Observer>> open(const KafkaLogOptions& options);

  /// What the group has committed; nullopt where nothing ever was.
  [[nodiscard]] Result<std::optional<log::Progress>> progress(log::Partition partition) const;
  /// [oldest, newest) offset, asked now.
  [[nodiscard]] Result<log::Range> range(log::Partition partition, Millis wait) const;
  /// Offset of the first record whose time is `time` or later; one past the last where there is none.
  [[nodiscard]] Result<log::Offset> offset_at(log::Partition partition, WallTime time) const;
  /// range() as it was a second ago; the last answer while the brokers are away. Only the first call for a partition
  /// waits, at most a second.
  [[nodiscard]] log::Range recent_range(log::Partition partition);
  /// Whether a broker answers.
  [[nodiscard]] Result<void> reach(Millis wait) const;

 private:
  explicit Observer(std::string topic) : topic_(std::move(topic)) {}
  struct Look {
    std::chrono::steady_clock::time_point wanted;
    log::Range range;
  };
  void look_again(std::stop_token stop);

  const std::string topic_;
  Handle handle_;
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::map<log::Partition, Look> looks_;  ///< Guarded by mutex_. Only ever grows.
  std::jthread looker_;                   ///< Set under mutex_. Last, as it uses all the rest.
};

/// The number of the topic's partitions. Action::reject where there is no such topic.
[[nodiscard]] Result<log::Partition> count_partitions(const KafkaLogOptions& options, Millis wait);

/// Progress as an offset's metadata, and back.
[[nodiscard]] std::string metadata_of(const log::Progress& progress);
[[nodiscard]] Result<log::Progress> parse_progress(std::int64_t offset, std::string_view metadata);

}  // namespace marquee::kafka
