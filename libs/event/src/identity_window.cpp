#include "marquee/event/identity_window.h"

#include <algorithm>

namespace marquee::event {
namespace {

/// 0 marks a free slot, so identity 0 shares the place of 1.
std::uint64_t key_of(std::uint64_t identity) { return identity == 0 ? 1 : identity; }

}  // namespace

IdentityWindow::IdentityWindow(std::size_t capacity) : capacity_(std::max<std::size_t>(capacity, 1)), slots_(1024) {}

// Identities are hashes already, so their low bits are the slot.
std::size_t IdentityWindow::find_slot(std::uint64_t key) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = key & mask;
  while (slots_[slot] != 0 && slots_[slot] != key) slot = (slot + 1) & mask;
  return slot;
}

bool IdentityWindow::contains(std::uint64_t identity) const { return slots_[find_slot(key_of(identity))] != 0; }

bool IdentityWindow::insert(std::uint64_t identity) {
  const std::uint64_t key = key_of(identity);
  if (slots_[find_slot(key)] != 0) return false;
  if (order_.size() < capacity_) {
    order_.push_back(key);
    if (order_.size() * 2 > slots_.size()) grow();
  } else {
    erase(order_[oldest_]);
    order_[oldest_] = key;
    oldest_ = (oldest_ + 1) % capacity_;
  }
  slots_[find_slot(key)] = key;
  return true;
}

void IdentityWindow::forget(std::uint64_t identity) {
  const std::uint64_t key = key_of(identity);
  if (slots_[find_slot(key)] == 0) return;
  erase(key);
  std::ranges::rotate(order_, order_.begin() + static_cast<std::ptrdiff_t>(oldest_));
  oldest_ = 0;
  order_.erase(std::ranges::find(order_, key));
}

void IdentityWindow::for_each(const std::function<void(std::uint64_t)>& visit) const {
  for (std::size_t i = 0; i < order_.size(); ++i) visit(order_[(oldest_ + i) % order_.size()]);
}

// Moves later members of the probe chain back over the hole, so that no tombstones gather (Knuth 6.4, algorithm R).
void IdentityWindow::erase(std::uint64_t key) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t hole = find_slot(key);
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

void IdentityWindow::grow() {
  slots_.assign(slots_.size() * 2, 0);
  for (const std::uint64_t key : order_) slots_[find_slot(key)] = key;
}

void IdentityWindow::clear() {
  order_.clear();
  oldest_ = 0;
  slots_.assign(1024, 0);
}

}  // namespace marquee::event
