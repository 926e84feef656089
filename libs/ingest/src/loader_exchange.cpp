#include "loader_exchange.h"

#include <algorithm>

namespace marquee::ingest {
namespace {

using std::chrono::milliseconds;

/// How long the first batch waits for those of other partitions. Readers look more often than that.
constexpr milliseconds kGather{12};
constexpr milliseconds kLongestRest{500};

}  // namespace

Exchange::Exchange(std::vector<log::Partition> partitions, milliseconds linger, std::size_t max_rows)
    : linger_(linger), max_rows_(max_rows), slots_(partitions.size()) {
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    for (int n = 0; n < 2; ++n) slots_[i].free.push_back(std::make_unique<LoadBatch>(partitions[i]));
  }
}

std::unique_ptr<LoadBatch> Exchange::take_free(std::size_t index) {
  std::unique_lock lock(mutex_);
  Slot& slot = slots_[index];
  changed_.wait(lock, [&] { return stopping_ || !slot.free.empty(); });
  if (stopping_) return nullptr;
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

bool Exchange::wants(std::size_t index, Clock::time_point began) const {
  const std::lock_guard lock(mutex_);
  if (!lander_waits_ || slots_[index].ready) return false;
  return gathering_ || until_wanted_locked(began) <= milliseconds(0);
}

bool Exchange::offer(std::size_t index, std::unique_ptr<LoadBatch> batch) {
  std::unique_lock lock(mutex_);
  Slot& slot = slots_[index];
  changed_.wait(lock, [&] { return stopping_ || !slot.ready; });
  if (stopping_) return false;
  slot.ready = std::move(batch);
  changed_.notify_all();
  return true;
}

bool Exchange::any_ready() const {
  return std::ranges::any_of(slots_, [](const Slot& slot) { return slot.ready != nullptr; });
}

bool Exchange::all_ready() const {
  return std::ranges::all_of(slots_, [](const Slot& slot) { return slot.ready != nullptr; });
}

std::vector<Exchange::Taken> Exchange::take_ready(milliseconds limit) {
  std::unique_lock lock(mutex_);
  std::vector<Taken> taken;
  lander_waits_ = true;
  changed_.wait_for(lock, limit, [this] { return stopping_ || any_ready(); });
  if (any_ready() && !stopping_) {
    gathering_ = true;
    changed_.wait_for(lock, kGather, [this] { return stopping_ || all_ready(); });
    gathering_ = false;
  }
  lander_waits_ = false;
  if (stopping_) return taken;
  std::size_t rows = 0;
  const std::size_t begin = first_;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const std::size_t index = (begin + i) % slots_.size();
    Slot& slot = slots_[index];
    if (!slot.ready || (!taken.empty() && rows + slot.ready->rows().size() > max_rows_)) continue;
    rows += slot.ready->rows().size();
    taken.push_back({index, std::move(slot.ready)});
    first_ = (index + 1) % slots_.size();
  }
  changed_.notify_all();
  return taken;
}

void Exchange::give_back(std::vector<Taken> taken) {
  const std::lock_guard lock(mutex_);
  for (Taken& one : taken) slots_[one.index].free.push_back(std::move(one.batch));
  changed_.notify_all();
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

}  // namespace marquee::ingest
