// EventLog: the durable, partitioned, ordered log that is the truth. Implementations: LocalLog (here), Kafka
// (libs/kafka).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/base/time.h"

namespace marquee::log {

using Partition = std::uint32_t;
using Offset = std::uint64_t;  ///< Of a record within its partition, from 0, without gaps.

/// Offsets [begin, end): begin is in, end is not.
struct Range {
  Offset begin = 0;
  Offset end = 0;
  [[nodiscard]] bool empty() const { return begin == end; }
  [[nodiscard]] std::uint64_t size() const { return end - begin; }
  bool operator==(const Range&) const = default;
};

/// Records to append to one partition, framed one after the other (see add).
class Batch {
 public:
  explicit Batch(Partition partition) : partition_(partition) {}
  /// Copies one record.
  void add(std::string_view record);
  [[nodiscard]] Partition partition() const { return partition_; }
  [[nodiscard]] std::uint32_t count() const { return count_; }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }  ///< varint length and bytes of each record.

 private:
  Partition partition_;
  std::uint32_t count_ = 0;
  std::string bytes_;
};

/// Records as read: `records[i]` has offset `first + i` and borrows from `storage`.
struct Records {
  Offset first = 0;
  std::vector<std::string_view> records;
  std::vector<std::string> storage;
};

/// What a consumer (the loader) has made durable about one partition.
struct Progress {
  Offset next = 0;            ///< Everything before is landed.
  std::optional<Range> plan;  ///< Range that was about to be inserted; begins at `next`.
};

/// Called once, on the log's own thread, must not block: the batches are durable, or (Action::retry: full or closing;
/// Action::give_up: the disk failed) none of them is.
using Appended = std::move_only_function<void(Result<void>)>;

/// Thread safe.
class EventLog {
 public:
  virtual ~EventLog() = default;

  [[nodiscard]] virtual Partition partitions() const = 0;

  /// Appends the batches together. `done` hears of durability (fsync), not of buffering.
  virtual void append(std::vector<Batch> batches, Appended done) = 0;

  /// Records from `from` on: at most `max_records` and about `max_bytes`, at least one where there is one. Empty at the
  /// end. `from` before begin() is Action::give_up.
  [[nodiscard]] virtual Result<Records> read(Partition partition, Offset from, std::size_t max_records,
                                             std::size_t max_bytes) = 0;
  /// Waits until the partition holds a record at `offset`, or `timeout` passes, or close(). True where it does.
  [[nodiscard]] virtual bool wait_for(Partition partition, Offset offset, Millis timeout) = 0;

  [[nodiscard]] virtual Offset begin(Partition partition) const = 0;  ///< Oldest offset still kept.
  [[nodiscard]] virtual Offset end(Partition partition) const = 0;    ///< One past the last durable record.

  [[nodiscard]] virtual Result<Progress> progress(Partition partition) = 0;
  /// Durably (fsync) confirms everything before range.begin and plans `range`, in one step.
  [[nodiscard]] virtual Result<void> plan(Partition partition, Range range) = 0;
  /// Durably confirms everything before `next`; no plan is left.
  [[nodiscard]] virtual Result<void> confirm(Partition partition, Offset next) = 0;

  /// Ends waits, fails new appends with Action::retry, waits for those under way.
  virtual void close() = 0;
};

}  // namespace marquee::log
