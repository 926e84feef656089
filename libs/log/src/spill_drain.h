// Carries what waits in one lane of the near log into the far log, in order.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "marquee/log/event_log.h"
#include "spill_lane.h"
#include "spill_record.h"

namespace marquee::log {

/// Of one thread, which calls step() again and again. Everything that it is made of must outlive the far log's answers.
class SpillDrain {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Settled {
    std::uint64_t drained = 0;  ///< Records that are let go, and
    std::uint64_t kept = 0;     ///< how many of them the far log had acknowledged late, so that they were left out.
  };

  /// `wake` is called from any thread when a step has something to do.
  SpillDrain(SpillLane& lane, Partition number, EventLog& far, EventLog& near, std::size_t chunk_bytes,
             std::function<void()> wake);

  /// Reads where the lane stands. True where what waits is of another layout of the far log.
  [[nodiscard]] Result<bool> start();
  /// Settles what was answered; then, if nothing is under way, carries on. Reads no record from `barrier` on.
  Settled step(Time now, Offset barrier);
  /// Settles what was answered.
  Settled settle(Time now);

  [[nodiscard]] Offset next() const { return next_; }
  /// When the oldest record that waits was put there, as far as it is known; 0 where it is not.
  [[nodiscard]] std::int64_t oldest_ms() const { return oldest_ms_; }

 private:
  struct Answer {
    std::mutex mutex;
    std::optional<Result<void>> result;  ///< Guarded by mutex.
  };
  struct Chunk {
    Offset end = 0;
    std::uint64_t records = 0;
    std::uint64_t kept = 0;
    std::vector<Batch> batches;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> tickets;  ///< And how many records of each.
    std::shared_ptr<Answer> answer = std::make_shared<Answer>();
    bool is_acknowledged = false;
  };

  void carry_on(Time now, Offset barrier);
  /// The next records, as many as fit, up to the first of which it is not known yet whether the far log has it.
  [[nodiscard]] Result<Chunk> read_chunk(Offset barrier);
  void add(Chunk& chunk, const SpillRecord& spilled);
  void fail(const Error& error, Time now);

  SpillLane& lane_;
  const Partition number_;
  EventLog& far_;
  EventLog& near_;
  const std::size_t chunk_bytes_;
  const std::function<void()> wake_;
  Offset next_ = 0;
  std::optional<Chunk> chunk_;
  std::uint64_t blocked_by_ = 0;  ///< The ticket that ended the last chunk: nothing to read while it is pending.
  Time retry_at_{};
  unsigned failures_ = 0;
  bool is_flowing_ = false;  ///< The far log acknowledged the chunk before.
  std::int64_t oldest_ms_ = 0;
};

}  // namespace marquee::log
