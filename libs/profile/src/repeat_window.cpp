#include "repeat_window.h"

#include <algorithm>
#include <bit>

namespace marquee::profile {

RepeatWindow::RepeatWindow(std::size_t capacity)
    : capacity_(std::max<std::size_t>(capacity, 1)), slots_(std::bit_ceil(capacity_ * 2)) {
  order_.reserve(capacity_);
}

// Identities are hashes, so that their low bits are the slot.
std::size_t RepeatWindow::find(std::uint64_t key) const {
  std::size_t slot = key & (slots_.size() - 1);
  while (slots_[slot] != 0 && slots_[slot] != key) slot = (slot + 1) & (slots_.size() - 1);
  return slot;
}

bool RepeatWindow::insert(std::uint64_t identity) {
  const std::uint64_t key = std::max<std::uint64_t>(identity, 1);
  if (slots_[find(key)] != 0) return false;
  if (order_.size() < capacity_) {
    order_.push_back(key);
  } else {
    erase(order_[oldest_]);
    order_[oldest_] = key;
    oldest_ = (oldest_ + 1) % capacity_;
  }
  slots_[find(key)] = key;
  return true;
}

void RepeatWindow::for_each(const std::function<void(std::uint64_t)>& visit) const {
  for (std::size_t i = 0; i < order_.size(); ++i) visit(order_[(oldest_ + i) % order_.size()]);
}

// Knuth 6.4, algorithm R.
void RepeatWindow::erase(std::uint64_t key) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t hole = find(key);
  slots_[hole] = 0;
  for (std::size_t next = (hole + 1) & mask; slots_[next] != 0; next = (next + 1) & mask) {
    const std::size_t home = slots_[next] & mask;
    const bool stays = hole <= next ? (hole < home && home <= next) : (hole < home || home <= next);
    if (stays) continue;
    slots_[hole] = slots_[next];
    slots_[next] = 0;
    hole = next;
  }
}

}  // namespace marquee::profile
