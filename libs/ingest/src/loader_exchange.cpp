#include "loader_exchange.h"

#include <algorithm>
#include <limits>
#include <ranges>
#include <utility>

namespace marquee::ingest {
namespace {

using std::chrono::milliseconds;

/// How long the first batch waits for those of other partitions. Readers look more often than that.
constexpr milliseconds kGather{12};
constexpr milliseconds kLongestRest{500};

}  // namespace

void Exchange::open(log::Partition partition) {
  const std::lock_guard lock(mutex_);
  Slot slot;
  for (int n = 0; n < 2; ++n) slot.free.push_back(std::make_unique<LoadBatch>(partition));
  slots_.insert_or_assign(partition, std::move(slot));
}

void Exchange::close(log::Partition partition) {
  const std::lock_guard lock(mutex_);
  const auto slot = slots_.find(partition);
  if (slot == slots_.end()) return;
  slot->second.is_closed = true;
  slot->second.ready.reset();
  changed_.notify_all();
}

bool Exchange::is_open_locked(log::Partition partition) const {
  const auto slot = slots_.find(partition);
  return !stopping_ && slot != slots_.end() && !slot->second.is_closed;
}

bool Exchange::is_open(log::Partition partition) const {
  const std::lock_guard lock(mutex_);
  return is_open_locked(partition);
}

std::unique_ptr<LoadBatch> Exchange::take_free(log::Partition partition) {
  std::unique_lock lock(mutex_);
  Slot& slot = slots_.at(partition);
  changed_.wait(lock, [&] { return !is_open_locked(partition) || !slot.free.empty(); });
  if (!is_open_locked(partition)) return nullptr;
  auto batch = std::move(slot.free.back());
  slot.free.pop_back();
  return batch;
}

milliseconds Exchange::until_wanted_locked(Clock::time_point began) const {
  return std::chrono::ceil<milliseconds>(std::max(began + linger_, rested_) - Clock::now());
}

milliseconds Exchange::until_wanted(Clock::time_point began) const {
  const std::lock_guard lock(mutex_);
  return until_wanted_locked(began);
}

bool Exchange::wants(log::Partition partition, Clock::time_point began) const {
  const std::lock_guard lock(mutex_);
  if (!lander_waits_ || slots_.at(partition).ready) return false;
  return gathering_ || until_wanted_locked(began) <= milliseconds(0);
}

bool Exchange::offer(std::unique_ptr<LoadBatch> batch) {
  std::unique_lock lock(mutex_);
  const log::Partition partition = batch->partition();
  Slot& slot = slots_.at(partition);
  changed_.wait(lock, [&] { return !is_open_locked(partition) || !slot.ready; });
  if (!is_open_locked(partition)) return false;
  slot.ready = std::move(batch);
  changed_.notify_all();
  return true;
}

void Exchange::recall(std::unique_ptr<LoadBatch> batch) {
  std::unique_lock lock(mutex_);
  const log::Partition partition = batch->partition();
  Slot& slot = slots_.at(partition);
  slot.free.push_back(std::move(batch));
  if (slot.ready) slot.free.push_back(std::move(slot.ready));
  changed_.wait(lock, [&] { return !is_open_locked(partition) || !slot.is_busy; });
  slot.forgotten.clear();  // They are of a window that is filled anew.
}

std::vector<std::uint64_t> Exchange::take_forgotten(log::Partition partition) {
  const std::lock_guard lock(mutex_);
  return std::exchange(slots_.at(partition).forgotten, {});
}

void Exchange::forget(log::Partition partition, std::uint64_t identity) {
  const std::lock_guard lock(mutex_);
  slots_.at(partition).forgotten.push_back(identity);
}

bool Exchange::any_ready() const {
  return std::ranges::any_of(slots_ | std::views::values, [](const Slot& slot) { return slot.ready != nullptr; });
}

bool Exchange::all_ready() const {
  return std::ranges::all_of(slots_ | std::views::values,
                             [](const Slot& slot) { return slot.is_closed || slot.ready != nullptr; });
}

Exchange::Group Exchange::take_ready(milliseconds limit) {
  std::unique_lock lock(mutex_);
  Group taken;
  lander_waits_ = true;
  changed_.wait_for(lock, limit, [this] { return stopping_ || any_ready(); });
  if (any_ready() && !stopping_ && max_batches_ > 1) {
    gathering_ = true;
    changed_.wait_for(lock, kGather, [this] { return stopping_ || all_ready(); });
    gathering_ = false;
  }
  lander_waits_ = false;
  if (stopping_) return taken;
  std::size_t rows = 0;
  auto next = slots_.upper_bound(last_);
  for (std::size_t i = 0; i < slots_.size() && taken.size() < max_batches_; ++i, ++next) {
    if (next == slots_.end()) next = slots_.begin();
    auto& [partition, slot] = *next;
    if (!slot.ready || (!taken.empty() && rows + slot.ready->rows().size() > max_rows_)) continue;
    rows += slot.ready->rows().size();
    slot.is_busy = true;
    slot.busy_oldest_ms = slot.ready->oldest_received_ms();
    taken.push_back(std::move(slot.ready));
    last_ = partition;
  }
  changed_.notify_all();
  return taken;
}

void Exchange::give_back(Group group) {
  const std::lock_guard lock(mutex_);
  for (auto& batch : group) {
    Slot& slot = slots_.at(batch->partition());
    slot.is_busy = false;
    slot.free.push_back(std::move(batch));
  }
  changed_.notify_all();
}

void Exchange::wait_idle(log::Partition partition) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    const auto slot = slots_.find(partition);
    return slot == slots_.end() || !slot->second.is_busy;
  });
}

std::optional<std::int64_t> Exchange::oldest_waiting_ms(log::Partition partition) const {
  constexpr auto kNone = std::numeric_limits<std::int64_t>::max();  // A batch without rows has this.
  const std::lock_guard lock(mutex_);
  const auto slot = slots_.find(partition);
  if (slot == slots_.end()) return std::nullopt;
  std::int64_t oldest = slot->second.is_busy ? slot->second.busy_oldest_ms : kNone;
  if (slot->second.ready) oldest = std::min(oldest, slot->second.ready->oldest_received_ms());
  return oldest == kNone ? std::nullopt : std::optional(oldest);
}

void Exchange::set_last_insert(milliseconds took) {
  const std::lock_guard lock(mutex_);
  rested_ = Clock::now() + std::min(took / 2, kLongestRest);
}

void Exchange::request_stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

bool Exchange::is_stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

bool Exchange::pause(milliseconds length) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, length, [this] { return stopping_; });
}

bool Exchange::pause(log::Partition partition, milliseconds length) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, length, [&] { return !is_open_locked(partition); });
}

}  // namespace marquee::ingest
