#include "marquee/ingest/rewind.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>

#include "loader_landing.h"
#include "marquee/base/logging.h"
#include "new_tables.h"
#include "patience.h"
#include "reread.h"
#include "rewind_lock.h"
#include "table_swap.h"

namespace marquee::ingest {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int kRewindAttempts = 5;
constexpr int kPasses =
    20;  ///< Without holding inserts; what has landed since the last of them is read while they wait.
constexpr Millis kFinishWithin{600'000};

/// One attempt, which a store that breaks off at the wrong moment can undo. Live is what the loaders fill, new what
/// this does.
class Attempt {
 public:
  Attempt(const RewindOptions& options, log::EventLog& log, clickhouse::Client& client, const StoreLock& lock,
          const RewindPlan& plan)
      : options_(options),
        log_(log),
        client_(client),
        lock_(lock),
        live_(client),
        reread_(options, log, client, live_, plan) {}

  Result<RewindSummary> run() {
    reread_.show("copying what is older");
    auto made = NewTables::make(client_, lock_.database(), lock_.number());
    if (!made) return made.error();
    new_ = std::move(*made);
    landing_ = std::make_unique<PlainLanding>(new_->store(), log_);
    if (auto copied = new_->copy_events_before(reread_.next()); !copied) return copied.error();
    if (auto read = read_history(); !read) return read.error();
    reread_.show("counting the rollups");
    if (auto filled = new_->fill_rollups(); !filled) return filled.error();
    reread_.show("reading what has come since");
    for (int pass = 0; pass < kPasses; ++pass) {
      const auto waiting = catch_up();
      if (!waiting) return waiting.error();
      if (*waiting <= options_.max_batch_rows) break;
    }
    if (auto swapped = swap(); !swapped) return swapped.error();
    summary_.days = new_->made_days().size();
    summary_.seconds = reread_.seconds();
    return summary_;
  }

 private:
  /// Reads until little is left that has landed meanwhile, into the new events table alone.
  Result<void> read_history() {
    reread_.show("reading the log");
    for (int pass = 0; pass < kPasses; ++pass) {
      const auto to = landed();
      if (!to) return to.error();
      if (pass > 0 && distance(*to) <= options_.max_batch_rows) break;
      const auto days = read_to(*to);
      if (!days) return days.error();
      new_->make_days(*days);
    }
    return {};
  }

  /// Reads what has landed since, and counts it in the new rollups. Returns how much it was.
  Result<std::uint64_t> catch_up() {
    const auto to = landed();
    if (!to) return to.error();
    const std::uint64_t waiting = distance(*to);
    const Offsets since = reread_.next();
    const auto days = read_to(*to);
    if (!days) return days.error();
    if (auto counted = count(*days, since); !counted) return counted.error();
    return waiting;
  }

  static Offsets landed(const std::vector<log::Progress>& progress) {
    Offsets offsets;
    for (const log::Progress& one : progress) offsets.push_back(one.next);
    return offsets;
  }

  Result<Offsets> landed() {
    const auto progress = reread_.progress();
    if (!progress) return progress.error();
    return landed(*progress);
  }

  [[nodiscard]] std::uint64_t distance(const Offsets& to) const {
    std::uint64_t sum = 0;
    for (std::size_t p = 0; p < to.size(); ++p) sum += to[p] > reread_.next()[p] ? to[p] - reread_.next()[p] : 0;
    return sum;
  }

  /// Returns the days of what was read.
  Result<std::set<Day>> read_to(const Offsets& to) {
    std::mutex mutex;
    std::set<Day> days;
    std::map<log::Partition, std::vector<Row>> strangers;
    auto done = reread_.read(to, [&](History& history, log::Partition partition, log::Range range) {
      return history.read(range, [&](LoadBatch& batch, const Comparison& found) -> Result<void> {
        if (auto landed = land(history, batch); !landed) return landed;
        const std::lock_guard lock(mutex);
        add(batch, found);
        days.insert(batch.days().begin(), batch.days().end());
        auto& there = strangers[partition];
        there.insert(there.end(), found.strangers.begin(), found.strangers.end());
        return {};
      });
    });
    if (!done) return done.error();
    for (const auto& [partition, rows] : strangers) {
      if (auto copied = new_->copy_rows(partition, rows); !copied) return copied.error();
    }
    return days;
  }

  void add(const LoadBatch& batch, const Comparison& found) {
    summary_.records += batch.range().size();
    summary_.events += batch.rows().size();
    summary_.repeats += batch.repeats().size();
    summary_.dead_letters += batch.dead_letters().size();
    summary_.missing += found.missing.size();
    summary_.surplus += found.surplus;
    summary_.strangers += found.strangers.size();
  }

  /// Into the new events table, whatever becomes of the store meanwhile.
  Result<void> land(History& history, LoadBatch& batch) {
    if (auto kept = history.keep_letters(); !kept) return kept;
    if (batch.rows().empty()) return {};
    std::uint64_t name = draw_token();
    batch.seal(name);
    if (new_->store().insert_events_only(batch.partition(), batch.range(), batch.columns(), batch.body(), name))
      return {};
    const auto refused = complete_patiently(
        *landing_, batch, name, [](std::uint64_t) -> Result<std::uint64_t> { return draw_token(); }, options_.patience);
    if (!refused) return refused.error();
    return history.bury(*refused);
  }

  /// Counts new events of `since` and later, which are of these days or of days that were made before.
  Result<void> count(const std::set<Day>& days, const Offsets& since) {
    const DayIds before = new_->made_days();
    const DayIds fresh = new_->make_days(days);
    if (auto counted = new_->count_days(fresh); !counted) return counted;
    return new_->count_since(before, since);
  }

  Result<void> swap() {
    reread_.show("putting the new tables in the place of the old");
    if (auto go_on = reread_.check_stop(); !go_on) return go_on;
    auto lock = patiently(options_.patience, [&] { return RebuildLock::take(client_); });
    if (!lock) return lock.error();
    const auto began = SteadyClock::now();
    if (auto completed = complete(**lock); !completed) return completed;
    auto swapped = swap_in(client_, **lock, lock_.database(), new_->names());
    lock->reset();
    if (!swapped) swapped = finish(swapped.error());
    summary_.inserts_held = std::chrono::duration_cast<Millis>(SteadyClock::now() - began);
    return swapped;
  }

  /// Brings the new tables to what the live ones hold, while inserts wait.
  Result<void> complete(RebuildLock& lock) {
    if (auto waited = lock.wait_for_inserts(); !waited) return waited;
    const Offsets since = reread_.next();
    const auto progress = reread_.progress();
    if (!progress) return progress.error();
    auto days = read_to(landed(*progress));
    if (!days) return days.error();
    if (auto copied = copy_in_flight(*progress, *days); !copied) return copied;
    if (auto counted = count(*days, since); !counted) return counted;
    if (auto copied = new_->copy_changes(); !copied) return copied;
    return new_->check_schema();
  }

  /// What loaders have planned and not confirmed may be live, whole or in part; they complete it afterwards, and must
  /// find of it what they have inserted. But not a repeat of what was lost and is read again here: they did not know
  /// that it was one, and will.
  Result<void> copy_in_flight(const std::vector<log::Progress>& progress, std::set<Day>& days) {
    Offsets to = reread_.next();
    for (std::size_t p = 0; p < to.size(); ++p) {
      if (progress[p].plan) to[p] = std::max(to[p], progress[p].plan->end);
    }
    std::mutex mutex;
    std::map<log::Partition, std::vector<Row>> live;
    auto done = reread_.read(to, [&](History& history, log::Partition partition, log::Range range) {
      return history.read(range, [&](LoadBatch& batch, const Comparison& found) -> Result<void> {
        std::vector<Row> rows;
        std::ranges::set_difference(batch.rows(), found.missing, std::back_inserter(rows), {}, &Row::offset,
                                    &Row::offset);
        const std::lock_guard lock(mutex);
        std::ranges::merge(rows, found.strangers, std::back_inserter(live[partition]), {}, &Row::offset, &Row::offset);
        days.insert(batch.days().begin(), batch.days().end());
        return {};
      });
    });
    for (auto rows = live.begin(); done && rows != live.end(); ++rows)
      done = new_->copy_rows(rows->first, rows->second);
    if (!done) return done;
    return new_->copy_events_after(to);  // Of another log: nothing of this one can have landed there.
  }

  /// The swap was cut off: it is either finished when the lock is taken again, or was never decided.
  Result<void> finish(const Error& why) {
    logging::warn("rewind.swap_cut_off", {{"error", why.message}});
    auto finished = patiently(kFinishWithin, [&]() -> Result<bool> {
      if (auto lock = RebuildLock::take(client_); !lock) return lock.error();
      return is_swapped_in(client_, lock_.number());
    });
    if (!finished) {
      return Error::give_up(
          fmt::format("the store is away in the middle of the swap ({}); whoever rebuilds or loads next "
                      "finishes it",
                      finished.error().message));
    }
    return *finished ? Result<void>() : Error::retry(why.message);
  }

  const RewindOptions& options_;
  log::EventLog& log_;
  clickhouse::Client& client_;
  const StoreLock& lock_;
  LoaderStore live_;
  Reread reread_;
  std::unique_ptr<NewTables> new_;
  std::unique_ptr<Landing> landing_;
  RewindSummary summary_;
};

}  // namespace

Result<RewindSummary> rewind(const RewindOptions& options, log::EventLog& log, clickhouse::Client& store) {
  for (int attempt = 1;; ++attempt) {
    const auto lock = patiently(attempt == 1 ? options.patience_with_another : options.patience,
                                [&] { return take_rewind_lock(store); });
    if (!lock) return lock.error();
    const auto plan = patiently(options.patience, [&] { return plan_rewind(log, store, options.from); });
    if (!plan) return plan.error();
    auto summary = Attempt(options, log, store, **lock, *plan).run();
    if (summary || summary.error().action != Action::retry || attempt == kRewindAttempts) return summary;
    logging::warn("rewind.begins_again", {{"attempt", attempt}, {"error", summary.error().message}});
  }
}

}  // namespace marquee::ingest
