#include <mutex>

#include "loader_context.h"
#include "marquee/base/logging.h"
#include "marquee/ingest/rewind.h"
#include "marquee/ingest/rollup.h"
#include "patience.h"
#include "reread.h"
#include "rewind_lock.h"

namespace marquee::ingest {
namespace {

/// Introduced, as a loader is: who swaps other tables in meanwhile shuts this out.
Result<std::uint64_t> new_name(LoaderStore& live, std::uint64_t shut_out) {
  const std::uint64_t fresh = draw_token();
  if (auto known = live.introduce(fresh); !known) return known.error();
  if (shut_out == 0) return fresh;
  const auto is_out_of_date = live.is_out_of_date(shut_out);
  if (!is_out_of_date) return is_out_of_date.error();
  if (*is_out_of_date) return Error::reject("another process has read history again meanwhile");
  return fresh;
}

}  // namespace

Result<RewindSummary> rewind_in_place(const RewindOptions& options, log::EventLog& log, clickhouse::Client& store) {
  const auto lock = patiently(options.patience_with_another, [&] { return take_rewind_lock(store); });
  if (!lock) return lock.error();
  const auto plan = patiently(options.patience, [&] { return plan_rewind(log, store, options.from); });
  if (!plan) return plan.error();
  LoaderStore live(store);
  PlainLanding landing(live, log);
  Reread reread(options, log, store, live, *plan);

  reread.show("comparing with the log");
  Offsets to;
  for (const RewindRange& one : plan->partitions) to.push_back(one.range.end);
  std::mutex mutex;
  Completed sum;
  auto read = reread.read(to, [&](History& history, log::Partition, log::Range range) -> Result<void> {
    const auto note = [&](const std::set<Day>& days) {
      return patiently(options.patience, [&] { return note_days(store, **lock, days); });
    };
    const auto renew = [&](std::uint64_t shut_out) { return new_name(live, shut_out); };
    const auto done = complete_history(history, range, landing, renew, options.patience, note);
    if (!done) return done.error();
    const std::lock_guard guard(mutex);
    sum.add(*done);
    return {};
  });
  if (!read) return read.error();

  reread.show("comparing the rollups");
  const auto mended = patiently(options.patience, [&] { return mend_days(store, partition_ids(sum.days)); });
  if (!mended) return mended.error();
  if (sum.missing > 0) {
    auto told = patiently(options.patience, [&] { return live.shut_out_all(); });
    if (!told) return told.error();
  }
  return RewindSummary{.records = plan->records(),
                       .events = sum.rows,
                       .repeats = sum.repeats,
                       .dead_letters = sum.dead_letters,
                       .missing = sum.missing,
                       .surplus = sum.surplus,
                       .strangers = sum.strangers,
                       .days = *mended,
                       .seconds = reread.seconds()};
}

}  // namespace marquee::ingest
