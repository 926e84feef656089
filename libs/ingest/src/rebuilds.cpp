#include "rebuilds.h"

#include <chrono>
#include <thread>

#include "marquee/ingest/loader.h"

namespace marquee::ingest {
namespace {

/// Rebuilds of others that one waits for; then whoever waits looks at everything again.
constexpr std::chrono::milliseconds kPatience{20'000};
constexpr std::chrono::milliseconds kTryEvery{100};

}  // namespace

Result<void> Rebuilds::run(const std::set<Day>& days, const Wanted& is_wanted) {
  if (days.empty()) return {};
  std::unique_lock lock(mutex_);
  if (!next_) next_ = std::make_shared<Round>();
  const std::shared_ptr<Round> round = next_;
  round->days.insert(days.begin(), days.end());
  ++round->asked;
  while (!round->is_done && is_running_) {
    changed_.wait_for(lock, kTryEvery);
    if (!round->is_done && !is_wanted()) return Error::retry("the rebuild of rollups is no longer wanted");
  }
  if (round->is_done) return round->result;
  is_running_ = true;
  lock.unlock();
  auto result = run_next(is_wanted);
  lock.lock();
  if (next_ == round) next_.reset();  // It never began.
  round->result = std::move(result);
  round->is_done = true;
  is_running_ = false;
  changed_.notify_all();
  return round->result;
}

std::pair<std::vector<std::string>, std::uint64_t> Rebuilds::next_days() const {
  const std::lock_guard lock(mutex_);
  return {partition_ids(next_->days), next_->asked};
}

bool Rebuilds::close_next(std::uint64_t asked) {
  const std::lock_guard lock(mutex_);
  if (next_->asked != asked) return false;
  next_.reset();
  return true;
}

Result<std::unique_ptr<RebuildLock>> Rebuilds::take_lock(const Wanted& is_wanted) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::uint64_t asked = 0;
  std::uint64_t last = 0;
  for (;;) {
    const auto [days, asked_by_now] = next_days();
    if (asked_by_now != asked) {
      // Whoever takes the lock from now on rebuilds with all that those who ask have completed.
      const auto number = RebuildLock::last_number(store_);
      if (!number) return number.error();
      asked = asked_by_now;
      last = *number;
    }
    auto lock = RebuildLock::take(store_);
    // Asked behind that: a rebuild that ended just before the lock was free is seen.
    const auto is_done = RebuildLock::was_rebuilt(store_, days, last);
    if (!is_done) return is_done.error();
    if (*is_done && close_next(asked)) return nullptr;
    if (lock) return lock;
    if (!is_wanted() || std::chrono::steady_clock::now() > deadline) return lock;
    std::this_thread::sleep_for(kTryEvery);
  }
}

Result<void> Rebuilds::run_next(const Wanted& is_wanted) {
  const auto held = take_lock(is_wanted);
  if (!held) return held.error();
  if (!*held) return {};
  std::vector<std::string> ids;
  {
    // Whoever asks from here on may have completed events that this rebuild has read past.
    const std::lock_guard lock(mutex_);
    ids = partition_ids(std::exchange(next_, nullptr)->days);
  }
  const auto replaced = rebuild_days(store_, **held, ids);
  if (!replaced) return replaced.error();
  return {};
}

}  // namespace marquee::ingest
