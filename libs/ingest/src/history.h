// A partition's history: read again from the log, and held against what the events table has of it.
#pragma once

#include <functional>
#include <set>
#include <span>
#include <vector>

#include "dead_letter_store.h"
#include "loader_batch.h"
#include "loader_landing.h"
#include "loader_store.h"
#include "marquee/event/identity_window.h"
#include "marquee/log/event_log.h"
#include "recovery.h"

namespace marquee::ingest {

struct ReadLimits {
  std::size_t max_records = 0;  ///< Of a batch, as the next.
  std::size_t max_bytes = 0;
  Millis patience{5'000};  ///< How long a log, or a store, that gives nothing is waited for; then Action::retry.
};

/// Appends the records up to `end` to `batch`, or until it has taken about as many as it may.
[[nodiscard]] Result<void> read_on(log::EventLog& log, LoadBatch& batch, event::IdentityWindow& window, log::Offset end,
                                   const ReadLimits& limits);

/// What the events table has, against what the log says that it should.
struct Comparison {
  std::vector<Row> missing;    ///< Rows that are not there.
  std::uint64_t surplus = 0;   ///< Rows that are there once too often: landed twice, or a repeat that landed.
  std::vector<Row> strangers;  ///< Rows there of another log, which has had the same offsets.
};
/// All ascending by offset. Identities are compared, so that rows of another log are not taken for these.
[[nodiscard]] Comparison compare(std::span<const Row> rows, std::span<const Row> repeats, std::span<const Row> landed);

/// The dead letters of a topic. Thread safe.
struct HistoryLetters {
  DeadLetterStore store;
  std::string topic;
};

/// What was a dead letter stays one, as for a loader that takes a partition over. Not thread safe.
class History {
 public:
  using Take = std::function<Result<void>(LoadBatch& batch, const Comparison& found)>;
  using Watch = std::function<Result<void>(const LoadBatch& batch)>;

  /// `window` holds the identities before what is read first, and those that were read afterwards. `watch` is told of
  /// each batch before it is taken, and may end the reading.
  History(log::EventLog& log, LoaderStore& store, HistoryLetters& letters, log::Partition partition,
          event::IdentityWindow& window, ReadLimits limits, Watch watch = {})
      : log_(log),
        store_(store),
        letters_(letters),
        batch_(partition),
        window_(window),
        limits_(limits),
        watch_(std::move(watch)) {}

  /// Gives the range to `take`, batch by batch in order. Ends at the first error, its own or `take`'s.
  [[nodiscard]] Result<void> read(log::Range range, const Take& take);
  /// Keeps the dead letters of the batch that was given last: those that are not there are written.
  [[nodiscard]] Result<void> keep_letters();
  /// Rows of that batch are dead letters: the store has refused them.
  [[nodiscard]] Result<void> bury(const std::vector<RefusedRow>& refused);

 private:
  [[nodiscard]] Result<void> read_stretch(log::Range range, const Take& take);
  [[nodiscard]] Result<void> write(std::vector<DeadLetter> letters);

  log::EventLog& log_;
  LoaderStore& store_;
  HistoryLetters& letters_;
  LoadBatch batch_;
  event::IdentityWindow& window_;
  const ReadLimits limits_;
  const Watch watch_;
  KnownLetters known_;  ///< Of the stretch that is being read.
};

/// What was done to a range, or found in it.
struct Completed {
  std::uint64_t rows = 0, repeats = 0, dead_letters = 0;  ///< In the log.
  std::uint64_t missing = 0;                              ///< Rows that were not there and now are.
  std::uint64_t surplus = 0, strangers = 0;               ///< See Comparison; they are left as they are.
  std::set<Day> days;
  void add(const Completed& other);
};

/// A name to insert under, in the place of one that is shut out; 0: of none.
using NewName = std::function<Result<std::uint64_t>(std::uint64_t shut_out)>;

/// Landing::complete() of a batch, under other names where it must.
[[nodiscard]] Result<std::vector<RefusedRow>> complete_patiently(Landing& landing, LoadBatch& batch,
                                                                 std::uint64_t& name, const NewName& new_name,
                                                                 Millis patience);

/// Brings the events table to hold every row of the range but those that it refuses; the rollups are left as they are.
/// `before` is told of the days of what is about to be inserted. On a range that is whole nothing is written.
[[nodiscard]] Result<Completed> complete_history(History& history, log::Range range, Landing& landing,
                                                 const NewName& new_name, Millis patience,
                                                 const std::function<Result<void>(const std::set<Day>&)>& before);

}  // namespace marquee::ingest
