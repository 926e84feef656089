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
  /// Copies one record. `key` is what its partition was chosen by; Kafka keeps it as the message's key.
  void add(std::string_view record, std::uint64_t key = 0);
  [[nodiscard]] Partition partition() const { return partition_; }
  [[nodiscard]] std::uint32_t count() const { return count_; }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }  ///< varint length and bytes of each record.
  [[nodiscard]] const std::vector<std::uint64_t>& keys() const { return keys_; }
  /// The records, which borrow from bytes().
  [[nodiscard]] std::vector<std::string_view> records() const;

 private:
  Partition partition_;
  std::uint32_t count_ = 0;
  std::string bytes_;
  std::vector<std::uint64_t> keys_;
};

/// Records as read: `records[i]` has offset `first + i` and borrows from `storage` or from what `holder` keeps alive.
struct Records {
  Offset first = 0;
  std::vector<std::string_view> records;
  std::vector<std::string> storage;
  std::shared_ptr<const void> holder;
};

/// What a consumer (the loader) has made durable about one partition.
struct Progress {
  Offset next = 0;            ///< Everything before is landed.
  std::optional<Range> plan;  ///< Range that was about to be inserted; begins at `next`.
  std::uint64_t planner = 0;  ///< Who planned it: see EventLog::plan.
};

/// How a partition stands, whoever reads it.
struct Standing {
  Range kept;                                    ///< Offsets that the log holds.
  Offset landed = 0;                             ///< Everything before is landed (Progress::next).
  std::optional<std::int64_t> waiting_since_ms;  ///< When the first record that has not landed was appended,
                                                 ///< milliseconds since the Unix epoch; nullopt: none, or not known.
  std::optional<bool> is_followed;               ///< Whether some process has it; nullopt: not known just now.
};

/// A range that is about to be inserted.
struct Plan {
  Partition partition = 0;
  Range range;
};

/// Called once, on the log's own thread, must not block: the batches are durable, or not. After Action::retry (full,
/// closing, no answer) or Action::give_up (the disk failed) some of them may be durable all the same where the log is
/// Kafka; LocalLog keeps all or none.
using Appended = std::move_only_function<void(Result<void>)>;

/// Hears which partitions this process reads and lands. Called on the log's own thread.
class Follower {
 public:
  virtual ~Follower() = default;
  /// From now on these are this process's.
  virtual void take(const std::vector<Partition>& partitions) = 0;
  /// When it returns, another process may have these: what is under way is landed and confirmed, or dropped. Where
  /// `is_lost`, another may have them already, and nothing can be confirmed.
  virtual void release(const std::vector<Partition>& partitions, bool is_lost) = 0;
};

/// Thread safe.
class EventLog {
 public:
  virtual ~EventLog() = default;

  [[nodiscard]] virtual Partition partitions() const = 0;

  /// Appends the batches together. `done` hears of durability (fsync), not of buffering.
  virtual void append(std::vector<Batch> batches, Appended done) = 0;

  /// Tells `follower`, which must outlive unfollow(), of the partitions that are this process's: all of them at once
  /// where nobody shares the log. One follower at a time.
  virtual void follow(Follower& follower) = 0;
  /// Releases what the follower has, waiting for it.
  virtual void unfollow() = 0;

  /// Records from `from` on: at most `max_records` and about `max_bytes`, at least one where there is one. Empty at the
  /// end. Without gaps; `first` is beyond `from` where the records between are none of ours (Kafka's transaction
  /// markers, records of transactions that were given up), also where no record follows yet. `from` before begin() is
  /// Action::give_up.
  [[nodiscard]] virtual Result<Records> read(Partition partition, Offset from, std::size_t max_records,
                                             std::size_t max_bytes) = 0;
  /// Waits until the partition holds a record at `offset`, or `timeout` passes, or close(). True where it does.
  [[nodiscard]] virtual bool wait_for(Partition partition, Offset offset, Millis timeout) = 0;

  [[nodiscard]] virtual Offset begin(Partition partition) const = 0;  ///< Oldest offset still kept.
  [[nodiscard]] virtual Offset end(Partition partition) const = 0;    ///< One past the last durable record.
  /// The first kept offset whose record was appended at `time` or later; end() where there is none.
  [[nodiscard]] virtual Result<Offset> offset_at(Partition partition, WallTime time) = 0;

  [[nodiscard]] virtual Result<Progress> progress(Partition partition) = 0;
  /// Durably (fsync) confirms everything before each range's begin and plans the range, in one step. `planner` is kept
  /// with it, by which who completes the plan can shut out who made it. Action::reject where a partition is no longer
  /// this process's: none is planned then.
  [[nodiscard]] virtual Result<void> plan(const std::vector<Plan>& plans, std::uint64_t planner) = 0;
  /// Durably confirms everything before `next`; no plan is left. Action::reject as for plan.
  [[nodiscard]] virtual Result<void> confirm(Partition partition, Offset next) = 0;

  /// Error (Action::retry) where the log is somewhere else and does not answer within `wait`.
  [[nodiscard]] virtual Result<void> reach(Millis wait) {
    static_cast<void>(wait);
    return {};
  }

  /// Every partition as it stands, for people and alerts: a moment old, and asked of what keeps the log in few
  /// questions.
  [[nodiscard]] virtual Result<std::vector<Standing>> standings() = 0;

  /// Ends waits, fails new appends with Action::retry, waits for those under way.
  virtual void close() = 0;
};

}  // namespace marquee::log
