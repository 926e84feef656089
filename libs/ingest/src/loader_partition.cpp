#include "loader_partition.h"

#include <fmt/format.h>

#include <algorithm>

#include "marquee/base/logging.h"

namespace marquee::ingest {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPoll{100};  ///< How soon a waiting thread sees that the loader stops.
constexpr milliseconds kShortPoll{2};  ///< How soon a batch that has waited long enough sees that the store is free.
constexpr std::size_t kReadRecords = 16'384;
constexpr std::size_t kReadBytes = 4 * 1024 * 1024;

}  // namespace

PartitionLoader::PartitionLoader(LoaderContext& context, log::Partition partition)
    : context_(context),
      partition_(partition),
      window_(context.options.identity_window),
      recovery_(context_.store, context.log, context.gate),
      jitter_(std::random_device{}()) {
  for (auto& batch : free_) batch = std::make_unique<LoadBatch>(partition);
}

PartitionLoader::~PartitionLoader() {
  request_stop();
  join();
}

void PartitionLoader::start() { lander_ = std::thread([this] { run(); }); }

void PartitionLoader::request_stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

void PartitionLoader::join() {
  if (lander_.joinable()) lander_.join();
}

bool PartitionLoader::is_stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

LoaderStatus PartitionLoader::status() const {
  const log::Offset end = context_.log.end(partition_);
  const std::lock_guard lock(mutex_);
  LoaderStatus status = status_;
  status.lag_events = end > landed_ ? end - landed_ : 0;
  return status;
}

void PartitionLoader::run() {
  if (!prepare()) return;
  log::Offset next = 0;
  {
    const std::lock_guard lock(mutex_);
    next = landed_;
  }
  std::thread builder([this, next] { build_batches(next); });
  land_batches();
  builder.join();
}

// ---- Before the first batch: the window, and what a crash left.

bool PartitionLoader::prepare() {
  return until_done("start", [this]() -> Result<void> {
    const auto next = prepare_once();
    if (!next) return next.error();
    const std::lock_guard lock(mutex_);
    landed_ = *next;
    return {};
  });
}

Result<log::Offset> PartitionLoader::prepare_once() {
  const auto progress = context_.log.progress(partition_);
  if (!progress) return progress.error();
  const bool verifies = context_.verify_kept_log && !verified_;
  const log::Offset from = verifies ? std::min(context_.log.begin(partition_), progress->next) : progress->next;
  {
    const std::lock_guard lock(mutex_);
    landed_ = progress->next;
  }
  if (auto settled = context_.store.settled(partition_); !settled) return settled.error();
  if (auto filled = context_.store.fill_window(partition_, from, context_.options.identity_window, window_); !filled) {
    return filled.error();
  }
  if (verifies) {
    if (auto verified = verify({from, progress->next}); !verified) return verified.error();
  }
  if (!progress->plan) return progress->next;
  if (auto recovered = recover_plan(*progress->plan); !recovered) return recovered.error();
  return progress->plan->end;
}

Result<void> PartitionLoader::verify(log::Range range) {
  std::set<Day> days;
  LoadBatch batch(partition_);
  for (log::Offset next = range.begin; next < range.end;) {
    batch.reset(next);
    const auto records = context_.log.read(partition_, next, std::min<std::uint64_t>(range.end - next, 100'000), kReadBytes);
    if (!records) return records.error();
    if (records->records.empty()) break;
    batch.append(*records, window_);
    if (auto completed = recovery_.complete_events(batch); !completed) return completed;
    days.insert(batch.days().begin(), batch.days().end());
    next = batch.range().end;
  }
  if (!days.empty()) {
    logging::info("loader.verified_after_power_loss",
                  {{"partition", partition_}, {"begin", range.begin}, {"end", range.end}, {"days", days.size()}});
    // Rollup parts may be gone although the events are all there.
    if (auto rebuilt = recovery_.rebuild(days); !rebuilt) return rebuilt;
  }
  verified_ = true;
  context_.on_verified();
  return {};
}

Result<void> PartitionLoader::recover_plan(log::Range plan) {
  LoadBatch batch(partition_);
  batch.reset(plan.begin);
  while (batch.range().end < plan.end) {
    const auto records = context_.log.read(partition_, batch.range().end, plan.end - batch.range().end, kReadBytes);
    if (!records) return records.error();
    if (records->records.empty()) return Error::give_up(fmt::format("the log has lost offset {}", batch.range().end));
    batch.append(*records, window_);
  }
  if (!batch.dead_letters().empty()) {
    if (auto written = context_.store.insert_dead_letters(partition_, batch.dead_letters()); !written) {
      return Error::retry(written.error().error.message);
    }
  }
  if (auto completed = recovery_.complete_events(batch); !completed) return completed;
  if (auto rebuilt = recovery_.rebuild(batch.days()); !rebuilt) return rebuilt;
  if (auto confirmed = context_.log.confirm(partition_, plan.end); !confirmed) return confirmed;
  context_.metrics.recoveries.Increment();
  logging::info("loader.recovered",
                {{"partition", partition_}, {"begin", plan.begin}, {"end", plan.end}, {"rows", batch.rows().size()}});
  const std::lock_guard lock(mutex_);
  ++status_.recoveries;
  return {};
}

// ---- The builder.

void PartitionLoader::build_batches(log::Offset next) {
  for (;;) {
    std::unique_ptr<LoadBatch> batch;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || free_[0] || free_[1]; });
      if (stopping_) break;
      batch = std::move(free_[0] ? free_[0] : free_[1]);
    }
    batch->reset(next);
    if (!fill(*batch)) break;
    batch->seal();
    next = batch->range().end;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !ready_; });
    if (stopping_) break;
    ready_ = std::move(batch);
    changed_.notify_all();
  }
  const std::lock_guard lock(mutex_);
  builder_done_ = true;
  changed_.notify_all();
}

milliseconds PartitionLoader::linger() const {
  // A store that takes long over an insert is given fewer and larger ones.
  const std::lock_guard lock(mutex_);
  return std::max(milliseconds(context_.options.linger_ms), std::min(last_insert_ * 2, milliseconds(500)));
}

bool PartitionLoader::is_ready(const LoadBatch& batch, steady_clock::time_point began) {
  const auto& options = context_.options;
  if (batch.range().size() >= options.max_batch_rows || batch.bytes() >= options.max_batch_bytes) return true;
  if (batch.range().empty() || steady_clock::now() - began < linger()) return false;
  const std::lock_guard lock(mutex_);
  return lander_waits_ && !ready_;
}

bool PartitionLoader::fill(LoadBatch& batch) {
  const auto& options = context_.options;
  auto began = steady_clock::now();
  unsigned failures = 0;
  while (!is_stopping()) {
    if (is_ready(batch, began)) return true;
    const std::size_t room = options.max_batch_rows - batch.range().size();
    const std::size_t bytes = std::min(kReadBytes, options.max_batch_bytes - batch.bytes());
    const auto records = context_.log.read(partition_, batch.range().end, std::min(room, kReadRecords), bytes);
    if (!records) {
      note_failure("read", records.error(), ++failures);
      if (!pause(failures)) return false;
      continue;
    }
    failures = 0;
    if (!records->records.empty()) {
      if (batch.range().empty()) began = steady_clock::now();
      batch.append(*records, window_);
      continue;
    }
    if (batch.range().empty()) {
      (void)context_.log.wait_for(partition_, batch.range().end, kPoll);
      continue;
    }
    // Until the batch has waited long enough and the store is free; woken earlier only by much more to read.
    const auto left = linger() - std::chrono::duration_cast<milliseconds>(steady_clock::now() - began);
    const auto more = std::min(options.max_batch_rows - batch.range().size(), kReadRecords);
    (void)context_.log.wait_for(partition_, batch.range().end + more - 1, std::clamp(left, kShortPoll, kPoll));
  }
  return false;
}

// ---- The lander.

void PartitionLoader::land_batches() {
  for (;;) {
    std::unique_ptr<LoadBatch> batch;
    {
      std::unique_lock lock(mutex_);
      lander_waits_ = true;
      const auto is_awaited = [this] { return ready_ || (stopping_ && builder_done_); };
      if (unconfirmed_) {
        changed_.wait_for(lock, kPoll, is_awaited);
      } else {
        changed_.wait(lock, is_awaited);
      }
      batch = std::move(ready_);
      lander_waits_ = !batch;
      if (!batch && stopping_ && builder_done_ && !unconfirmed_) return;
    }
    if (!batch) {
      confirm();
      if (is_stopping()) return;
      continue;
    }
    const bool has_landed = land(*batch);
    const std::lock_guard lock(mutex_);
    (free_[0] ? free_[1] : free_[0]) = std::move(batch);
    changed_.notify_all();
    if (!has_landed) return;
  }
}

void PartitionLoader::confirm() {
  std::optional<log::Offset> next;
  {
    const std::lock_guard lock(mutex_);
    next = unconfirmed_;
  }
  if (!next) return;
  if (auto confirmed = context_.log.confirm(partition_, *next); !confirmed) {
    note_failure("confirm", confirmed.error(), 1);
    return;  // The plan stands: the batch would only be counted again after a restart.
  }
  const std::lock_guard lock(mutex_);
  unconfirmed_.reset();
}

bool PartitionLoader::land(LoadBatch& batch) {
  if (!until_done("plan", [&] { return context_.log.plan(partition_, batch.range()); })) return false;
  if (!batch.dead_letters().empty()) {
    const bool is_written = until_done("dead letters", [&]() -> Result<void> {
      auto written = context_.store.insert_dead_letters(partition_, batch.dead_letters());
      if (!written) return written.error().error;
      return {};
    });
    if (!is_written) return false;
  }
  if (!batch.rows().empty() && !insert(batch)) return false;

  context_.metrics.events.Increment(static_cast<double>(batch.rows().size()));
  context_.metrics.repeats.Increment(static_cast<double>(batch.repeats()));
  context_.metrics.dead_letters.Increment(static_cast<double>(batch.dead_letters().size()));
  context_.metrics.batches.Increment();
  if (!batch.rows().empty()) {
    const auto age = SystemClock().now().time_since_epoch().count() - batch.oldest_received_ms();
    context_.metrics.landing_seconds.Observe(static_cast<double>(age) / 1000);
  }
  context_.metrics.lag(partition_).Set(static_cast<double>(context_.log.end(partition_) - batch.range().end));
  {
    const std::lock_guard lock(mutex_);
    landed_ = batch.range().end;
    unconfirmed_ = landed_;
    status_.events_landed += batch.rows().size();
    status_.repeats_dropped += batch.repeats();
    status_.dead_letters += batch.dead_letters().size();
    ++status_.batches;
    status_.last_error.clear();
  }
  if (context_.on_landed && !batch.rows().empty()) context_.on_landed(batch.rows().size());
  return true;
}

bool PartitionLoader::insert(LoadBatch& batch) {
  for (unsigned failures = 1;; ++failures) {
    const auto began = steady_clock::now();
    LoaderStore::Inserted inserted;
    {
      const auto pass = context_.gate.share();
      if (pass) {
        inserted = context_.store.insert(batch);
      } else {
        inserted = std::unexpected(clickhouse::InsertFailure{false, pass.error(), 0});
      }
    }
    if (inserted) {
      const auto took = steady_clock::now() - began;
      context_.metrics.insert_seconds.Observe(std::chrono::duration<double>(took).count());
      const std::lock_guard lock(mutex_);
      last_insert_ = std::chrono::duration_cast<milliseconds>(took);
      return true;
    }
    note_failure("insert", inserted.error().error, failures);
    if (inserted.error().may_have_landed) return recover(batch);
    if (!pause(failures)) return false;
  }
}

bool PartitionLoader::recover(const LoadBatch& batch) {
  const bool is_done = until_done("recovery", [&]() -> Result<void> {
    if (auto completed = recovery_.complete_events(batch); !completed) return completed;
    return recovery_.rebuild(batch.days());
  });
  if (!is_done) return false;
  context_.metrics.recoveries.Increment();
  logging::info("loader.recovered", {{"partition", partition_}, {"begin", batch.range().begin},
                                     {"end", batch.range().end}, {"rows", batch.rows().size()}});
  const std::lock_guard lock(mutex_);
  ++status_.recoveries;
  return true;
}

// ---- Failure.

bool PartitionLoader::until_done(std::string_view what, const std::function<Result<void>()>& attempt) {
  for (unsigned failures = 1;; ++failures) {
    const auto done = attempt();
    if (done) return true;
    note_failure(what, done.error(), failures);
    if (!pause(failures)) return false;
  }
}

void PartitionLoader::note_failure(std::string_view what, const Error& error, unsigned failures) {
  context_.metrics.failures.Increment();
  // The first of a row of failures, and one now and then while it lasts.
  if (failures == 1 || failures % 30 == 0) {
    logging::warn("loader.waits", {{"partition", partition_}, {"at", what}, {"failures", failures}, {"error", error.message}});
  }
  const std::lock_guard lock(mutex_);
  status_.last_error = fmt::format("partition {}: {}: {}", partition_, what, error.message);
}

bool PartitionLoader::pause(unsigned failures) {
  const auto longest = milliseconds(50) * (1U << std::min(failures, 5U));
  std::unique_lock lock(mutex_);
  const auto length = milliseconds(std::uniform_int_distribution<std::int64_t>(longest.count() / 2, longest.count())(jitter_));
  return !changed_.wait_for(lock, length, [this] { return stopping_; });
}

}  // namespace marquee::ingest
