// Reads partitions of the topic, each on its own: at the tip in order, and ranges elsewhere.
#pragma once

#include <deque>
#include <map>
#include <mutex>

#include "handle.h"
#include "marquee/kafka/kafka_log.h"

namespace marquee::kafka {

/// Thread safe; reads of different partitions run side by side.
class Source {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Source>> open(const KafkaLogOptions& options, log::Partition partitions);
  ~Source();
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  /// Whether a read of `from` goes on where the last read of the partition ended, or is its first.
  [[nodiscard]] bool continues(log::Partition partition, log::Offset from) const;
  /// Records from `from` on, without gaps; waits up to `wait` for the first. None, and `first` beyond `from`, where up
  /// to there are none.
  [[nodiscard]] Result<log::Records> read(log::Partition partition, log::Offset from, std::size_t max_records,
                                          std::size_t max_bytes, Millis wait);
  /// Waits until there is something to read where the last read ended.
  [[nodiscard]] bool wait(log::Partition partition, Millis limit);
  /// No longer reads ahead of it.
  void stop(log::Partition partition);
  /// [oldest, newest) as the last answer from the broker said; nullopt before the first.
  [[nodiscard]] std::optional<log::Range> known_range(log::Partition partition) const;

 private:
  struct Place {
    mutable std::mutex mutex;
    bool is_started = false;
    log::Offset next = 0;  ///< Of the next record that a read returns.
    std::deque<Received> ahead;
  };
  Source(const KafkaLogOptions& options, log::Partition partitions) : topic_name_(options.topic), places_(partitions) {}
  /// Fetches what is there, or waits for one; false where nothing came.
  bool fetch(Place& place, log::Partition partition, std::size_t max_records, Millis wait);
  Result<void> start(Place& place, log::Partition partition, log::Offset from);
  void stop_locked(Place& place, log::Partition partition);

  const std::string topic_name_;
  Handle handle_;
  Topic topic_;
  mutable std::vector<Place> places_;
};

}  // namespace marquee::kafka
