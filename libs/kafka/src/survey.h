// How every partition of the topic stands, asked of the brokers for all of them at once.
#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "handle.h"
#include "marquee/kafka/kafka_log.h"

namespace marquee::kafka {

/// A client of its own, so that a look never waits behind what loads. Thread safe; looks come one after the other.
class Survey {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Survey>> open(const KafkaLogOptions& options, log::Partition partitions);

  /// Action::retry where the brokers do not answer.
  [[nodiscard]] Result<std::vector<log::Standing>> look();

 private:
  /// What a record is known by: when it was appended does not change.
  struct Place {
    log::Offset offset = 0;
    std::int64_t time_ms = 0;
  };
  using Standings = std::vector<log::Standing>;

  Survey(const KafkaLogOptions& options, log::Partition partitions)
      : topic_name_(options.topic), group_(options.group), partitions_(partitions) {}
  [[nodiscard]] PartitionList every_partition(std::int64_t offset) const;
  /// Offsets at one end of every partition: RD_KAFKA_OFFSET_BEGINNING or RD_KAFKA_OFFSET_END.
  [[nodiscard]] Result<std::vector<log::Offset>> offsets_at(std::int64_t end);
  [[nodiscard]] Result<void> find_landed(Standings& standings);
  /// Reads the first waiting record of each partition that has one, for its time.
  void find_times(Standings& standings);

  const std::string topic_name_;
  const std::string group_;
  const log::Partition partitions_;
  std::mutex mutex_;
  Handle handle_;
  Topic topic_;
  std::map<log::Partition, Place> places_;  ///< Guarded by mutex_: the records whose times were read last.
};

}  // namespace marquee::kafka
