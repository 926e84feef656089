#include "loader_lander.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "marquee/base/logging.h"
#include "marquee/ingest/rollup.h"

namespace marquee::ingest {
namespace {

using std::chrono::milliseconds;

/// Of idleness: the last batch is then confirmed without a plan for the next.
constexpr milliseconds kConfirmAfter{100};
constexpr milliseconds kIdle{1'000};
constexpr milliseconds kRebuildPause{20};
constexpr unsigned kReleaseAttempts = 5;
constexpr milliseconds kReleasePause{50};
constexpr unsigned kRebuildPatience = 8;  ///< Refusals, some seconds, until the holder of the lock is looked at.

}  // namespace

Lander::Lander(LoaderContext& context)
    : context_(context),
      exchange_(milliseconds(context.options.linger_ms), context.options.max_batch_rows,
                context.landing->batches_per_insert()) {}

Lander::~Lander() {
  request_stop();
  join();
  standings_.clear();
}

void Lander::start() {
  thread_ = std::thread([this] { run(); });
}

void Lander::join() {
  if (thread_.joinable()) thread_.join();
}

void Lander::take(log::Partition partition) {
  (void)context_.metrics.of(partition);
  exchange_.open(partition);
  const std::lock_guard lock(mutex_);
  Standing& standing = standings_[partition];
  standing = {};
  standing.reader =
      std::make_unique<PartitionReader>(context_, exchange_, partition, [this, partition](log::Offset landed) {
        const std::lock_guard guard(mutex_);
        standings_[partition].landed = landed;
      });
}

void Lander::release(log::Partition partition, bool is_lost) {
  exchange_.close(partition);
  std::unique_ptr<PartitionReader> reader;
  {
    const std::lock_guard lock(mutex_);
    const auto standing = standings_.find(partition);
    if (standing == standings_.end()) return;
    reader = std::move(standing->second.reader);
  }
  reader.reset();  // Its thread needs the mutex to end.
  exchange_.wait_idle(partition);
  // A group between two generations refuses commits for a moment.
  for (unsigned attempt = 1; !is_lost && !confirm(partition, attempt) && attempt < kReleaseAttempts; ++attempt)
    std::this_thread::sleep_for(kReleasePause);
  leave_note(partition);
  context_.clear_failure(partition);
  const std::lock_guard lock(mutex_);
  standings_.erase(partition);
}

std::map<log::Partition, log::Offset> Lander::ends_of_all() const {
  std::map<log::Partition, log::Offset> ends;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [partition, standing] : standings_) ends[partition] = 0;
  }
  for (auto& [partition, end] : ends) end = context_.log.end(partition);
  return ends;
}

void Lander::add_status(LoaderStatus& status) const {
  const auto ends = ends_of_all();
  const std::lock_guard lock(mutex_);
  status.events_landed += status_.events_landed;
  status.repeats_dropped += status_.repeats_dropped;
  status.dead_letters += status_.dead_letters;
  status.batches += status_.batches;
  for (const auto& [partition, end] : ends) {
    const auto standing = standings_.find(partition);
    const log::Offset landed = standing == standings_.end() ? end : standing->second.landed.value_or(0);
    status.lag_events += end > landed ? end - landed : 0;
  }
}

void Lander::add_partitions(std::vector<PartitionStatus>& partitions) const {
  const auto ends = ends_of_all();
  const auto now = SystemClock().now().time_since_epoch().count();
  const std::lock_guard lock(mutex_);
  for (const auto& [partition, standing] : standings_) {
    const auto end = ends.find(partition);
    if (end == ends.end()) continue;  // Taken just now.
    PartitionStatus one;
    one.partition = partition;
    one.time_ms = now;
    one.landed = standing.landed.value_or(0);
    one.end = end->second;
    if (const auto oldest = exchange_.oldest_waiting_ms(partition))
      one.lag_seconds = static_cast<double>(std::max<std::int64_t>(now - *oldest, 0)) / 1'000;
    one.batch_rows = standing.batch_rows;
    one.landed_ms = standing.landed_ms;
    one.events_landed = standing.events_landed;
    one.repeats_dropped = standing.repeats_dropped;
    one.dead_letters = standing.dead_letters;
    one.last_error = context_.last_error(partition);
    partitions.push_back(std::move(one));
  }
}

void Lander::run() {
  while (!exchange_.is_stopping()) {
    bool has_unconfirmed = false;
    {
      const std::lock_guard lock(mutex_);
      has_unconfirmed =
          std::ranges::any_of(standings_, [](const auto& one) { return one.second.unconfirmed.has_value(); });
    }
    auto group = exchange_.take_ready(has_unconfirmed ? kConfirmAfter : kIdle);
    if (group.empty()) {
      confirm_all();
      continue;
    }
    const bool is_landed = land(group);
    exchange_.give_back(std::move(group));
    if (!is_landed) return;
  }
}

bool Lander::land(Group& group) {
  auto [loader, look] = context_.name();
  give_back_if(group, [seen = look](const LoadBatch& batch) { return batch.look() != seen; });
  if (group.empty()) return true;
  if (!plan(group, loader)) return false;
  if (group.empty()) return true;
  if (!write_dead_letters(group)) return false;
  bool may_have_landed = false;
  const auto planned = std::chrono::steady_clock::now();
  for (unsigned failures = 1;; ++failures) {
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - planned);
    const Outcome outcome = may_have_landed ? recover(group, loader, age, failures) : insert(group, loader, failures);
    if (outcome == Outcome::landed) break;
    if (outcome == Outcome::replaced) {
      // Somebody thought us dead, or we gave up this name. What is still ours is planned anew, under another.
      const auto name = rename(group, loader, may_have_landed);
      if (!name) return false;
      if (name->look != look) {
        start_anew(group, may_have_landed);
        return true;
      }
      loader = name->token;
      if (!plan(group, loader)) return false;
      if (group.empty()) return true;
      continue;
    }
    may_have_landed = may_have_landed || outcome == Outcome::unknown;
    if (outcome == Outcome::rebuilding && failures % kRebuildPatience == 0)
      RebuildLock::drop_given_up(context_.store.client(group.front()->partition()));
    if (outcome != Outcome::unknown && !exchange_.pause(failures == 1 ? kRebuildPause : backoff(failures)))
      return false;
  }
  // What comes next is no repair, which matters with tokens alone. Asks nothing of the store then.
  if (context_.options.replicated && is_for_repairs(loader)) (void)context_.renew_name(loader);
  if (may_have_landed) {
    context_.metrics.recoveries.Increment();
    ++context_.recoveries;
  }
  note_landed(group, loader);
  return true;
}

bool Lander::plan(Group& group, std::uint64_t loader) {
  for (unsigned failures = 1;; ++failures) {
    std::vector<log::Plan> plans;
    plans.reserve(group.size());
    for (const auto& batch : group) plans.push_back({batch->partition(), batch->range()});
    const auto planned = context_.log.plan(plans, loader);
    if (planned) break;
    if (planned.error().action == Action::reject) {
      drop_if(group, [&](const LoadBatch& batch) {
        const auto one = context_.log.plan({{batch.partition(), batch.range()}}, loader);
        return !one && one.error().action == Action::reject;
      });
      if (group.empty()) return true;
      continue;
    }
    note_failure(group, "plan", planned.error(), failures);
    if (!exchange_.pause(backoff(failures))) return false;
    drop_if(group, [this](const LoadBatch& batch) { return !exchange_.is_open(batch.partition()); });
    if (group.empty()) return true;
  }
  const std::lock_guard lock(mutex_);
  for (const auto& batch : group) standings_[batch->partition()].unconfirmed.reset();  // The plan confirmed it.
  return true;
}

std::optional<LoaderContext::Name> Lander::rename(const Group& group, std::uint64_t replaced, bool may_have_landed) {
  for (unsigned failures = 1;; ++failures) {
    const auto renewed = context_.renew_name(replaced, may_have_landed);
    if (renewed) return context_.name();
    note_failure(group, "name", renewed.error(), failures);
    if (!exchange_.pause(backoff(failures))) return std::nullopt;
  }
}

void Lander::start_anew(const Group& group, bool may_have_landed) {
  // What has landed is confirmed and what has not is not planned, so that taking over finds nothing to recover.
  for (const auto& batch : group) {
    if (!may_have_landed) (void)context_.log.confirm(batch->partition(), batch->range().begin);
  }
  confirm_all();
}

void Lander::drop_if(Group& group, const std::function<bool(const LoadBatch&)>& condition) {
  give_back_if(group, [&](const LoadBatch& batch) {
    if (!condition(batch)) return false;
    logging::info("loader.partition_is_anothers", {{"partition", batch.partition()}, {"next", batch.range().begin}});
    exchange_.close(batch.partition());  // Nothing more is built of it until it is ours again.
    return true;
  });
}

void Lander::give_back_if(Group& group, const std::function<bool(const LoadBatch&)>& condition) {
  Group kept;
  Group given_back;
  for (auto& batch : group) (condition(*batch) ? given_back : kept).push_back(std::move(batch));
  group = std::move(kept);
  exchange_.give_back(std::move(given_back));
}

bool Lander::write_dead_letters(const Group& group) {
  return std::ranges::all_of(
      group, [this](const auto& batch) { return write_dead_letters(batch->partition(), batch->dead_letters()); });
}

bool Lander::write_dead_letters(log::Partition partition, std::vector<DeadLetter> letters) {
  for (unsigned failures = 1;; ++failures) {
    const auto written = context_.letters.write(letters);
    if (written) return true;
    context_.note_failure(partition, "dead letters", written.error(), failures);
    if (!exchange_.pause(backoff(failures))) return false;
  }
}

bool Lander::bury(LoadBatch& batch, const std::vector<RefusedRow>& refused) {
  std::vector<DeadLetter> letters;
  for (const auto& [identity, letter] : refused) {
    // Before anybody can see the letter: what replays it has its identity.
    exchange_.forget(batch.partition(), identity);
    letters.push_back(letter);
  }
  if (!write_dead_letters(batch.partition(), letters)) return false;
  for (const DeadLetter& letter : letters) batch.set_refused(letter.offset);
  return true;
}

Lander::Outcome Lander::insert(const Group& group, std::uint64_t loader, unsigned failures) {
  body_.clear();
  std::vector<const LoadBatch*> batches;
  for (const auto& batch : group) {
    if (batch->rows().empty()) continue;
    if (batch->sealed_for() != loader) batch->seal(loader);
    batches.push_back(batch.get());
    body_ += batch->body();
  }
  if (batches.empty()) return Outcome::landed;
  const auto began = std::chrono::steady_clock::now();
  const auto inserted = context_.landing->insert(batches, body_);
  if (inserted) {
    const auto took = std::chrono::steady_clock::now() - began;
    context_.metrics.insert_seconds.Observe(std::chrono::duration<double>(took).count());
    exchange_.set_last_insert(std::chrono::duration_cast<milliseconds>(took));
    return Outcome::landed;
  }
  if (LoaderStore::is_replaced(inserted.error())) return Outcome::replaced;
  if (LoaderStore::is_rebuilding(inserted.error())) return Outcome::rebuilding;
  note_failure(group, "insert", inserted.error().error, failures);
  return inserted.error().may_have_landed ? Outcome::unknown : Outcome::wait;
}

Lander::Outcome Lander::recover(Group& group, std::uint64_t loader, std::chrono::seconds age, unsigned failures) {
  std::set<Day> days;
  auto done = Result<void>();
  for (const auto& batch : group) {
    if (batch->sealed_for() != loader) batch->seal(loader);
    const auto completed = context_.landing->complete(*batch, loader, age);
    if (!completed) {
      done = completed.error();
      break;
    }
    if (!bury(*batch, completed->refused)) return Outcome::wait;  // The loader stops.
    if (completed->needs_rebuild) days.insert(batch->days().begin(), batch->days().end());
  }
  if (done) done = context_.rebuilds(group.front()->partition()).run(days, [this] { return !exchange_.is_stopping(); });
  if (!done) {
    if (done.error().action == Action::reject) return Outcome::replaced;
    note_failure(group, "recovery", done.error(), failures);
    return Outcome::wait;
  }
  for (const auto& batch : group) {
    logging::info("loader.recovered", {{"partition", batch->partition()},
                                       {"begin", batch->range().begin},
                                       {"end", batch->range().end},
                                       {"rows", batch->rows().size()}});
  }
  return Outcome::landed;
}

void Lander::note_failure(const Group& group, std::string_view what, const Error& error, unsigned failures) {
  for (const auto& batch : group) context_.note_failure(batch->partition(), what, error, failures);
}

void Lander::note_landed(const Group& group, std::uint64_t loader) {
  std::uint64_t events = 0;
  const auto now = SystemClock().now().time_since_epoch().count();
  for (const auto& batch : group) {
    const std::size_t landed = batch->rows().size() - batch->refused().size();
    const std::size_t dead = batch->dead_letters().size() + batch->refused().size();
    events += landed;
    PartitionMetrics& counts = context_.metrics.of(batch->partition());
    counts.events.Increment(static_cast<double>(landed));
    counts.repeats.Increment(static_cast<double>(batch->repeats().size()));
    counts.batches.Increment();
    if (!batch->rows().empty()) {
      const auto age = now - batch->oldest_received_ms();
      context_.metrics.landing_seconds.Observe(static_cast<double>(age) / 1000);
    }
    const std::lock_guard lock(mutex_);
    Standing& standing = standings_[batch->partition()];
    standing.landed = batch->range().end;
    standing.unconfirmed = Unconfirmed{batch->range(), loader};
    standing.landed_ms = now;
    standing.batch_rows = landed;
    standing.events_landed += landed;
    standing.repeats_dropped += batch->repeats().size();
    standing.dead_letters += dead;
    status_.events_landed += landed;
    status_.repeats_dropped += batch->repeats().size();
    status_.dead_letters += dead;
    ++status_.batches;
  }
  for (const auto& batch : group) context_.clear_failure(batch->partition());
  if (context_.on_landed && events != 0) context_.on_landed(events);
}

void Lander::confirm_all() {
  std::vector<log::Partition> waiting;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [partition, standing] : standings_) {
      if (standing.unconfirmed) waiting.push_back(partition);
    }
  }
  for (const log::Partition partition : waiting) confirm(partition);
}

std::optional<Lander::Unconfirmed> Lander::unconfirmed(log::Partition partition) const {
  const std::lock_guard lock(mutex_);
  const auto standing = standings_.find(partition);
  return standing == standings_.end() ? std::nullopt : standing->second.unconfirmed;
}

void Lander::leave_note(log::Partition partition) {
  const auto landed = unconfirmed(partition);
  if (!landed) return;
  if (auto noted = context_.store.note_landed(landed->planner, partition, landed->range); !noted)
    logging::info("loader.landed_not_noted", {{"partition", partition}, {"error", noted.error().message}});
}

bool Lander::confirm(log::Partition partition, unsigned attempt) {
  const auto landed = unconfirmed(partition);
  if (!landed) return true;
  if (auto confirmed = context_.log.confirm(partition, landed->range.end); !confirmed) {
    // The plan stands: the batch would only be counted again after a restart.
    context_.note_failure(partition, "confirm", confirmed.error(), attempt);
    return confirmed.error().action == Action::reject;
  }
  const std::lock_guard lock(mutex_);
  if (const auto standing = standings_.find(partition); standing != standings_.end())
    standing->second.unconfirmed.reset();
  return true;
}

}  // namespace marquee::ingest
