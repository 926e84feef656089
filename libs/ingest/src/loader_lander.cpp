#include "loader_lander.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "marquee/base/logging.h"

namespace marquee::ingest {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kConfirmAfter{
    100};  ///< Of idleness: the last batch is then confirmed without a plan for the next.
constexpr milliseconds kIdle{1'000};
constexpr std::size_t kVerifyRecords = 100'000;
constexpr std::size_t kReadBytes = 8 * 1024 * 1024;

}  // namespace

Lander::Lander(LoaderContext& context, std::vector<log::Partition> partitions)
    : context_(context),
      exchange_(partitions, milliseconds(context.options.linger_ms), context.options.max_batch_rows),
      recovery_(context.store, context.log, context.gate) {
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    readers_.push_back(std::make_unique<PartitionReader>(context, exchange_, partitions[i], i));
    Standing standing;
    standing.partition = partitions[i];
    standings_.push_back(standing);
  }
}

Lander::~Lander() {
  request_stop();
  join();
}

void Lander::start() {
  thread_ = std::thread([this] { run(); });
}

void Lander::join() {
  if (thread_.joinable()) thread_.join();
}

LoaderStatus Lander::status() const {
  const std::lock_guard lock(mutex_);
  LoaderStatus status = status_;
  for (const Standing& standing : standings_) {
    const log::Offset end = context_.log.end(standing.partition);
    status.lag_events += end > standing.landed ? end - standing.landed : 0;
  }
  return status;
}

void Lander::run() {
  for (std::size_t i = 0; i < readers_.size(); ++i) {
    if (!until_done(standings_[i].partition, "start", [&] { return prepare(i); })) return;
  }
  context_.clear_failure();
  for (std::size_t i = 0; i < readers_.size(); ++i) readers_[i]->start(standings_[i].landed);
  while (!exchange_.is_stopping()) {
    const bool has_unconfirmed =
        std::ranges::any_of(standings_, [](const Standing& standing) { return standing.unconfirmed.has_value(); });
    auto group = exchange_.take_ready(has_unconfirmed ? kConfirmAfter : kIdle);
    if (group.empty()) {
      confirm();
      continue;
    }
    if (!land(group)) break;
    exchange_.give_back(std::move(group));
  }
  confirm();
  readers_.clear();
}

// ---- Before the first batch: the window, and what a crash left.

Result<void> Lander::prepare(std::size_t index) {
  Standing& standing = standings_[index];
  const log::Partition partition = standing.partition;
  const auto progress = context_.log.progress(partition);
  if (!progress) return progress.error();
  {
    const std::lock_guard lock(mutex_);
    standing.landed = progress->next;
  }
  const bool verifies = context_.verify_kept_log && !standing.is_verified;
  const log::Offset from = verifies ? std::min(context_.log.begin(partition), progress->next) : progress->next;
  if (auto settled = context_.store.settled(partition); !settled) return settled.error();
  auto filled =
      context_.store.fill_window(partition, from, context_.options.identity_window, readers_[index]->window());
  if (!filled) return filled;
  if (verifies) {
    if (auto verified = verify(index, {from, progress->next}); !verified) return verified;
  }
  if (progress->plan) {
    if (auto recovered = recover_plan(index, *progress->plan); !recovered) return recovered;
  }
  const std::lock_guard lock(mutex_);
  standing.landed = progress->plan ? progress->plan->end : progress->next;
  return {};
}

Result<void> Lander::verify(std::size_t index, log::Range range) {
  const log::Partition partition = standings_[index].partition;
  std::set<Day> days;
  LoadBatch batch(partition);
  for (log::Offset next = range.begin; next < range.end; next = batch.range().end) {
    batch.reset(next);
    const auto count = std::min<std::uint64_t>(range.end - next, kVerifyRecords);
    const auto records = context_.log.read(partition, next, count, kReadBytes);
    if (!records) return records.error();
    if (records->records.empty()) return Error::give_up(fmt::format("the log has lost offset {}", next));
    batch.append(*records, readers_[index]->window());
    if (auto completed = recovery_.complete_events(batch); !completed) return completed;
    days.insert(batch.days().begin(), batch.days().end());
  }
  // Parts of rollups may be gone although the events are all there.
  if (!days.empty()) {
    if (auto rebuilt = recovery_.rebuild(days); !rebuilt) return rebuilt;
    logging::info("loader.verified_after_power_loss",
                  {{"partition", partition}, {"begin", range.begin}, {"end", range.end}, {"days", days.size()}});
  }
  standings_[index].is_verified = true;
  context_.on_verified();
  return {};
}

Result<void> Lander::recover_plan(std::size_t index, log::Range plan) {
  const log::Partition partition = standings_[index].partition;
  LoadBatch batch(partition);
  batch.reset(plan.begin);
  while (batch.range().end < plan.end) {
    const log::Offset next = batch.range().end;
    const auto records = context_.log.read(partition, next, plan.end - next, kReadBytes);
    if (!records) return records.error();
    if (records->records.empty()) return Error::give_up(fmt::format("the log has lost offset {}", next));
    batch.append(*records, readers_[index]->window());
  }
  if (!batch.dead_letters().empty()) {
    const auto written = context_.store.insert_dead_letters(partition, batch.dead_letters());
    if (!written) return Error::retry(written.error().error.message);
  }
  if (auto completed = recovery_.complete_events(batch); !completed) return completed;
  if (auto rebuilt = recovery_.rebuild(batch.days()); !rebuilt) return rebuilt;
  if (auto confirmed = context_.log.confirm(partition, plan.end); !confirmed) return confirmed;
  context_.metrics.recoveries.Increment();
  logging::info("loader.recovered",
                {{"partition", partition}, {"begin", plan.begin}, {"end", plan.end}, {"rows", batch.rows().size()}});
  const std::lock_guard lock(mutex_);
  ++status_.recoveries;
  return {};
}

// ---- Batch by batch.

bool Lander::land(const Group& group) {
  if (!plan(group)) return false;
  for (const auto& [index, batch] : group) {
    if (batch->dead_letters().empty()) continue;
    const bool is_written = until_done(batch->partition(), "dead letters", [&]() -> Result<void> {
      auto written = context_.store.insert_dead_letters(batch->partition(), batch->dead_letters());
      if (!written) return written.error().error;
      return {};
    });
    if (!is_written) return false;
  }
  if (!insert(group)) return false;
  note_landed(group);
  return true;
}

bool Lander::plan(const Group& group) {
  for (const auto& [index, batch] : group) {
    const LoadBatch& one = *batch;
    if (!until_done(one.partition(), "plan", [&] { return context_.log.plan(one.partition(), one.range()); }))
      return false;
    standings_[index].unconfirmed.reset();  // The plan confirmed it.
  }
  return true;
}

bool Lander::insert(const Group& group) {
  body_.clear();
  std::vector<const LoadBatch*> batches;
  for (const auto& [index, batch] : group) {
    if (batch->rows().empty()) continue;
    batches.push_back(batch.get());
    body_ += batch->body();
  }
  if (batches.empty()) return true;
  for (unsigned failures = 1;; ++failures) {
    const auto began = std::chrono::steady_clock::now();
    LoaderStore::Inserted inserted;
    if (const auto pass = context_.gate.share(); pass) {
      inserted = context_.store.insert(batches, body_);
    } else {
      inserted = std::unexpected(clickhouse::InsertFailure{false, pass.error(), 0});
    }
    if (inserted) {
      const auto took = std::chrono::steady_clock::now() - began;
      context_.metrics.insert_seconds.Observe(std::chrono::duration<double>(took).count());
      exchange_.set_last_insert(std::chrono::duration_cast<milliseconds>(took));
      return true;
    }
    context_.note_failure(batches.front()->partition(), "insert", inserted.error().error, failures);
    if (inserted.error().may_have_landed) return recover(group);
    if (!exchange_.pause(backoff(failures))) return false;
  }
}

bool Lander::recover(const Group& group) {
  const bool is_done = until_done(group.front().batch->partition(), "recovery", [&]() -> Result<void> {
    std::set<Day> days;
    for (const auto& [index, batch] : group) {
      if (auto completed = recovery_.complete_events(*batch); !completed) return completed;
      days.insert(batch->days().begin(), batch->days().end());
    }
    return recovery_.rebuild(days);
  });
  if (!is_done) return false;
  context_.metrics.recoveries.Increment();
  for (const auto& [index, batch] : group) {
    logging::info("loader.recovered", {{"partition", batch->partition()},
                                       {"begin", batch->range().begin},
                                       {"end", batch->range().end},
                                       {"rows", batch->rows().size()}});
  }
  const std::lock_guard lock(mutex_);
  ++status_.recoveries;
  return true;
}

void Lander::note_landed(const Group& group) {
  std::uint64_t events = 0;
  for (const auto& [index, batch] : group) {
    events += batch->rows().size();
    context_.metrics.repeats.Increment(static_cast<double>(batch->repeats()));
    context_.metrics.dead_letters.Increment(static_cast<double>(batch->dead_letters().size()));
    context_.metrics.batches.Increment();
    const log::Offset end = batch->range().end;
    context_.metrics.lag(batch->partition()).Set(static_cast<double>(context_.log.end(batch->partition()) - end));
    if (!batch->rows().empty()) {
      const auto age = SystemClock().now().time_since_epoch().count() - batch->oldest_received_ms();
      context_.metrics.landing_seconds.Observe(static_cast<double>(age) / 1000);
    }
    const std::lock_guard lock(mutex_);
    standings_[index].landed = end;
    standings_[index].unconfirmed = end;
    status_.events_landed += batch->rows().size();
    status_.repeats_dropped += batch->repeats();
    status_.dead_letters += batch->dead_letters().size();
    ++status_.batches;
  }
  context_.metrics.events.Increment(static_cast<double>(events));
  context_.clear_failure();
  if (context_.on_landed && events != 0) context_.on_landed(events);
}

void Lander::confirm() {
  for (std::size_t i = 0; i < standings_.size(); ++i) {
    const auto next = standings_[i].unconfirmed;
    if (!next) continue;
    if (auto confirmed = context_.log.confirm(standings_[i].partition, *next); !confirmed) {
      // The plan stands: the batch would only be counted again after a restart.
      context_.note_failure(standings_[i].partition, "confirm", confirmed.error(), 1);
      continue;
    }
    standings_[i].unconfirmed.reset();
  }
}

bool Lander::until_done(log::Partition partition, std::string_view what, const std::function<Result<void>()>& attempt) {
  for (unsigned failures = 1;; ++failures) {
    const auto done = attempt();
    if (done) return true;
    context_.note_failure(partition, what, done.error(), failures);
    if (!exchange_.pause(backoff(failures))) return false;
  }
}

}  // namespace marquee::ingest
