#include "loader_takeover.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <set>

#include "marquee/base/logging.h"

namespace marquee::ingest {
namespace {

constexpr std::size_t kVerifyRecords = 100'000;

}  // namespace

Result<log::Offset> Takeover::run(const std::function<void(log::Offset)>& on_progress) {
  const auto [loader, look] = context_.name();
  look_ = look;
  // Before it looks at what has landed: who changes that for all loaders shuts out those it knows.
  if (!context_.options.replicated) {
    if (auto known = context_.store.introduce(loader); !known) return known.error();
  }
  auto next = run_as(loader, on_progress);
  // Who took over another of our partitions has shut this name out, or we have; what is still ours is ours under the
  // next.
  if (!next && next.error().action == Action::reject) {
    if (auto renewed = context_.renew_name(loader, /*for_repairs=*/true); !renewed) return renewed.error();
  }
  return next;
}

Result<log::Offset> Takeover::run_as(std::uint64_t loader, const std::function<void(log::Offset)>& on_progress) {
  auto progress = context_.log.progress(partition_);
  if (!progress) return progress.error();
  if (auto passed = pass_what_landed(*progress, loader); !passed) return passed.error();
  on_progress(progress->next);
  const bool was_repairing = context_.options.replicated && progress->plan && is_for_repairs(progress->planner);
  if (was_repairing && !is_for_repairs(loader)) return Error::reject("whoever had it was repairing it");
  if (progress->plan && progress->planner != loader) {
    // In this order: who takes over from us knows of nobody before us.
    if (progress->planner != 0) {
      if (auto done = context_.landing->take_from(progress->planner, partition_); !done) return done.error();
    }
    if (auto planned = context_.log.plan({{partition_, *progress->plan}}, loader); !planned) return planned.error();
  }
  if (auto prepared = context_.landing->prepare(partition_, loader); !prepared) return prepared.error();
  const bool verifies = context_.verify_kept_log && !is_verified_;
  const log::Offset from = verifies ? std::min(context_.log.begin(partition_), progress->next) : progress->next;
  auto filled = context_.store.fill_window(partition_, from, context_.options.identity_window, window_);
  if (!filled) return filled.error();
  if (verifies) {
    if (auto verified = verify({from, progress->next}, loader); !verified) return verified.error();
  }
  if (!progress->plan) return progress->next;
  if (auto recovered = recover(*progress->plan, loader); !recovered) return recovered.error();
  return progress->plan->end;
}

Result<void> Takeover::pass_what_landed(log::Progress& progress, std::uint64_t loader) {
  if (!progress.plan || progress.planner == 0 || progress.planner == loader) return {};
  const auto has_landed = context_.store.is_noted_landed(progress.planner, partition_, *progress.plan);
  if (!has_landed) return has_landed.error();
  if (!*has_landed) return {};
  const log::Offset next = progress.plan->end;
  if (auto confirmed = context_.log.confirm(partition_, next); !confirmed) return confirmed;
  logging::info("loader.plan_had_landed", {{"partition", partition_}, {"next", next}});
  progress = {next, std::nullopt, 0};
  return {};
}

Result<void> Takeover::read_all(LoadBatch& batch, log::Offset end) {
  auto letters = context_.known_letters.letters(context_.options.topic, partition_, {batch.range().begin, end});
  if (!letters) return letters.error();
  batch.set_known_letters(std::move(*letters));
  while (batch.range().end < end) {
    const log::Offset next = batch.range().end;
    const auto records = read_known(context_.log, partition_, next, end - next);
    if (!records) return records.error();
    if (records->first >= end) return {};  // Only a gap was left.
    batch.append(*records, window_);
  }
  return {};
}

Result<void> Takeover::bury(std::vector<DeadLetter> letters) {
  std::erase_if(letters, [this](const DeadLetter& letter) { return buried_.contains(letter.offset); });
  std::set<log::Offset> offsets;
  for (const DeadLetter& letter : letters) offsets.insert(letter.offset);
  if (auto written = context_.letters.write(letters); !written) return written;
  buried_.merge(offsets);
  return {};
}

Result<void> Takeover::complete(LoadBatch& batch, std::uint64_t loader) {
  if (auto buried = bury(batch.dead_letters()); !buried) return buried;
  auto refused = recovery_.complete_events(batch, loader);
  if (!refused) return refused.error();
  return bury_refused(std::move(*refused));
}

Result<void> Takeover::bury_refused(std::vector<RefusedRow> refused) {
  std::vector<DeadLetter> letters;
  for (RefusedRow& row : refused) {
    window_.forget(row.identity);
    letters.push_back(std::move(row.letter));
  }
  return bury(std::move(letters));
}

Result<void> Takeover::verify(log::Range range, std::uint64_t loader) {
  std::set<Day> days;
  LoadBatch batch(partition_);
  for (log::Offset next = range.begin; next < range.end;) {
    const log::Offset end = std::min<log::Offset>(range.end, next + kVerifyRecords);
    batch.reset(next);
    if (auto read = read_all(batch, end); !read) return read;
    if (auto completed = complete(batch, loader); !completed) return completed;
    days.insert(batch.days().begin(), batch.days().end());
    next = end;
  }
  // Parts of rollups may be gone although the events are all there.
  if (!days.empty()) {
    if (auto rebuilt = context_.rebuilds(partition_).run(days, is_wanted_); !rebuilt) return rebuilt;
    logging::info("loader.verified_after_power_loss",
                  {{"partition", partition_}, {"begin", range.begin}, {"end", range.end}, {"days", days.size()}});
  }
  is_verified_ = true;
  context_.on_verified();
  return {};
}

Result<void> Takeover::recover(log::Range plan, std::uint64_t loader) {
  LoadBatch batch(partition_);
  batch.reset(plan.begin);
  if (auto read = read_all(batch, plan.end); !read) return read;
  if (auto buried = bury(batch.dead_letters()); !buried) return buried;
  batch.seal(loader);
  // It was planned after its newest event had come.
  const Millis age(SystemClock().now().time_since_epoch().count() - batch.newest_received_ms());
  auto completed = context_.landing->complete(batch, loader, std::chrono::duration_cast<std::chrono::seconds>(age));
  if (!completed) return completed.error();
  if (auto buried = bury_refused(std::move(completed->refused)); !buried) return buried;
  if (completed->needs_rebuild) {
    if (auto rebuilt = context_.rebuilds(partition_).run(batch.days(), is_wanted_); !rebuilt) return rebuilt;
  }
  if (auto confirmed = context_.log.confirm(partition_, plan.end); !confirmed) return confirmed;
  context_.metrics.recoveries.Increment();
  ++context_.recoveries;
  logging::info("loader.recovered",
                {{"partition", partition_}, {"begin", plan.begin}, {"end", plan.end}, {"rows", batch.rows().size()}});
  return {};
}

}  // namespace marquee::ingest
