// One lane of a spilling log: what is under way in it, and whether what comes next must go behind what waits.
#pragma once

#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "marquee/log/event_log.h"

namespace marquee::log {

/// One append; told when the last of its parts is. Thread safe.
class SpillRequest {
 public:
  SpillRequest(std::size_t parts, Appended done) : left_(parts), done_(std::move(done)) {}
  void note(const Result<void>& result);

 private:
  std::atomic<std::size_t> left_;
  std::mutex mutex_;
  std::optional<Error> error_;  ///< The first. Guarded by mutex_.
  Appended done_;
};

/// The batch of one partition, on its way into one of the logs.
struct SpillPart {
  enum class State {
    held,     ///< Waits in memory for the last that waits in the near log to be drained.
    given,    ///< To the far log.
    failed,   ///< The far log does not have it, as far as it knows.
    spilled,  ///< To the near log; the far log may have it as well.
    over,
  };
  SpillPart(Batch its_batch, std::shared_ptr<SpillRequest> its_request,
            std::chrono::steady_clock::time_point its_deadline)
      : partition(its_batch.partition()),
        records(its_batch.count()),
        bytes(its_batch.bytes().size()),
        deadline(its_deadline),
        batch(std::move(its_batch)),
        request(std::move(its_request)) {}

  const Partition partition;
  const std::uint32_t records;
  const std::size_t bytes;
  const std::chrono::steady_clock::time_point deadline;  ///< Then it is spilled.
  Batch batch;                                           ///< Empty once the near log has been given it.
  std::shared_ptr<SpillRequest> request;
  // Of its lane, under the lane's mutex.
  State state = State::given;
  std::uint64_t ticket = 0;  ///< Where it was given to the far log and then spilled.
  std::list<std::shared_ptr<SpillPart>>::iterator place;
};

/// Thread safe.
class SpillLane {
 public:
  using Part = std::shared_ptr<SpillPart>;
  using Time = std::chrono::steady_clock::time_point;
  enum class Way { far, near, held };
  enum class Given { never, pending, kept };

  /// `waiting` records are in the near log already. At most about `max_held_bytes` wait in memory for the handover.
  void start(std::uint64_t waiting, std::size_t max_held_bytes);

  /// Takes the part in; it goes the way that is said. `is_barred`: it must not pass what waits in other lanes.
  [[nodiscard]] Way add(const Part& part, bool is_barred);
  /// The far log's answer. True where this is the answer to the part's sender; false where that comes later, or did.
  [[nodiscard]] bool answer(const Part& part, const Result<void>& result);
  /// The near log did not take it.
  void refuse(const Part& part);

  /// True where what is under way must not wait for the far log any longer.
  [[nodiscard]] bool is_due(Time now) const;
  /// All that is under way, in order, to be put into the near log; what is added from now on goes behind it. Numbers
  /// those that the far log may still keep from `next_ticket` on.
  [[nodiscard]] std::vector<Part> spill(std::atomic<std::uint64_t>& next_ticket);
  /// What was held and can go to the far log, in order: nothing waits any more.
  [[nodiscard]] std::vector<Part> release();

  /// What became of an append that was given to the far log before it was spilled.
  [[nodiscard]] Given given(std::uint64_t ticket) const;
  /// So many records of that ticket (not 0) are done with.
  void forget(std::uint64_t ticket, std::uint64_t records);
  /// So many records wait no more.
  void drained(std::uint64_t records);
  /// From now on parts are held, until nothing waits or spill(): what waits is about to be drained to its end.
  void hold();
  /// What is held is to be spilled: draining does not get on.
  void stop_holding();

  [[nodiscard]] std::uint64_t waiting() const;
  [[nodiscard]] bool is_idle() const;  ///< Nothing waits, nothing is under way.

 private:
  struct Ticket {
    Given given = Given::pending;
    std::uint64_t records = 0;
  };

  mutable std::mutex mutex_;  ///< Guards everything.
  std::list<Part> under_way_;
  std::uint64_t waiting_ = 0;  ///< In the near log or on the way into it.
  std::unordered_map<std::uint64_t, Ticket> tickets_;
  std::size_t max_held_bytes_ = 0;
  std::size_t held_bytes_ = 0;
  bool holds_ = false;
  bool is_due_ = false;  ///< Whatever the clock says.
};

}  // namespace marquee::log
