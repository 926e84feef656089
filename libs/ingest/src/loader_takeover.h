// What a loader does before the first batch of a partition: it learns what landed, and completes what was left half
// done.
#pragma once

#include <functional>
#include <set>
#include <utility>

#include "loader_context.h"
#include "marquee/event/identity_window.h"
#include "recovery.h"

namespace marquee::ingest {

/// Not thread safe.
class Takeover {
 public:
  /// `is_wanted` is asked where it waits for others; where it says no, run() ends with Action::retry.
  Takeover(LoaderContext& context, log::Partition partition, event::IdentityWindow& window,
           std::function<bool()> is_wanted)
      : context_(context),
        recovery_(context.store, context.log),
        partition_(partition),
        window_(window),
        is_wanted_(std::move(is_wanted)) {}

  /// The offset to go on at; `window` holds the identities before it. May be tried again after an error; Action::reject
  /// where the partition is another's now. `on_progress` hears how far the partition had come, before anything is done.
  [[nodiscard]] Result<log::Offset> run(const std::function<void(log::Offset)>& on_progress);
  /// The look at what has landed that `window` is of, after run().
  [[nodiscard]] std::uint64_t look() const { return look_; }

 private:
  [[nodiscard]] Result<log::Offset> run_as(std::uint64_t loader, const std::function<void(log::Offset)>& on_progress);
  /// Confirms a plan of which its planner has said that it landed.
  [[nodiscard]] Result<void> pass_what_landed(log::Progress& progress, std::uint64_t loader);
  [[nodiscard]] Result<void> verify(log::Range range, std::uint64_t loader);
  [[nodiscard]] Result<void> recover(log::Range plan, std::uint64_t loader);
  [[nodiscard]] Result<void> bury(std::vector<DeadLetter> letters);
  /// Brings every record of the batch where it belongs: into the events table, or to the dead letters.
  [[nodiscard]] Result<void> complete(LoadBatch& batch, std::uint64_t loader);
  [[nodiscard]] Result<void> bury_refused(std::vector<RefusedRow> refused);
  [[nodiscard]] Result<void> read_all(LoadBatch& batch, log::Offset end);

  LoaderContext& context_;
  Recovery recovery_;  ///< For what is not of a plan.
  const log::Partition partition_;
  event::IdentityWindow& window_;
  const std::function<bool()> is_wanted_;
  std::set<log::Offset> buried_;  ///< Dead letters that were written, should the takeover be tried again.
  std::uint64_t look_ = 0;
  bool is_verified_ = false;
};

}  // namespace marquee::ingest
