#include "reread.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "patience.h"

namespace marquee::ingest {
namespace {

constexpr unsigned kThreads = 4;  ///< The store works for each of them, too.

}  // namespace

Reread::Reread(const RewindOptions& options, log::EventLog& log, clickhouse::Client& store, LoaderStore& live,
               const RewindPlan& plan)
    : options_(options),
      log_(log),
      live_(live),
      letters_{DeadLetterStore(store), options.topic},
      windows_(plan.partitions.size()) {
  for (const RewindRange& one : plan.partitions) next_.push_back(one.range.begin);
  progress_.to_read = plan.records();
}

Result<std::vector<log::Progress>> Reread::progress() const {
  std::vector<log::Progress> all;
  for (log::Partition p = 0; p < next_.size(); ++p) {
    const auto progress = patiently(options_.patience, [&] { return log_.progress(p); });
    if (!progress) return progress.error();
    all.push_back(*progress);
  }
  return all;
}

Result<void> Reread::read(const Offsets& to, const Read& read) {
  {
    const std::lock_guard lock(mutex_);
    progress_.to_read = progress_.read;
    for (std::size_t p = 0; p < to.size(); ++p) progress_.to_read += to[p] > next_[p] ? to[p] - next_[p] : 0;
  }
  std::atomic<log::Partition> turn = 0;
  std::mutex mutex;
  auto outcome = Result<void>();
  {
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < std::min<std::size_t>(kThreads, to.size()); ++i) {
      threads.emplace_back([&] {
        for (log::Partition p = turn++; p < to.size(); p = turn++) {
          auto done = read_partition(p, to[p], read);
          if (done) continue;
          const std::lock_guard lock(mutex);
          if (outcome) outcome = std::move(done);
          turn = static_cast<log::Partition>(to.size());
        }
      });
    }
  }
  return outcome;
}

Result<void> Reread::read_partition(log::Partition partition, log::Offset to, const Read& read) {
  const log::Range range{next_[partition], to};
  if (range.begin >= range.end) return {};
  if (!windows_[partition]) {
    windows_[partition] = std::make_unique<event::IdentityWindow>(options_.identity_window);
    auto filled = patiently(options_.patience, [&] {
      return live_.fill_window(partition, range.begin, options_.identity_window, *windows_[partition]);
    });
    if (!filled) return filled;
  }
  const ReadLimits limits{options_.max_batch_rows, options_.max_batch_bytes, options_.patience};
  History history(log_, live_, letters_, partition, *windows_[partition], limits,
                  [this](const LoadBatch& batch) { return note_read(batch); });
  if (auto done = read(history, partition, range); !done) return done;
  next_[partition] = to;
  return {};
}

Result<void> Reread::note_read(const LoadBatch& batch) {
  {
    const std::lock_guard lock(mutex_);
    progress_.read += batch.range().size();
    progress_.seconds = seconds();
    if (options_.on_progress) options_.on_progress(progress_);
  }
  return check_stop();
}

void Reread::show(std::string_view step) {
  const std::lock_guard lock(mutex_);
  progress_.step = step;
  progress_.seconds = seconds();
  if (options_.on_progress) options_.on_progress(progress_);
}

double Reread::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
}

Result<void> Reread::check_stop() const {
  if (options_.stop == nullptr || !*options_.stop) return {};
  return Error::reject("stopped: what is read again was not put in its place");
}

}  // namespace marquee::ingest
