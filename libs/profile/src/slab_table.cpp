#include "slab_table.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <new>

namespace marquee::profile {
namespace {

constexpr unsigned kSlabBits = 22;
constexpr std::uint32_t kSlabMask = (1U << kSlabBits) - 1;

template <class T>
T load(const T& value, std::memory_order order) {
  return std::atomic_ref<T>(const_cast<T&>(value)).load(order);
}
template <class T>
void store(T& to, T value, std::memory_order order) {
  std::atomic_ref<T>(to).store(value, order);
}

template <class T>
T* reserve(std::size_t count) {
  // Zero, and of a size at which it comes from the kernel, which makes pages resident as they are touched.
  void* memory = std::calloc(count, sizeof(T));
  if (memory == nullptr) throw std::bad_alloc();
  return static_cast<T*>(memory);
}

std::uint32_t tag(std::uint64_t key) { return static_cast<std::uint32_t>(key >> 7) << kSlabBits; }
std::uint32_t entry_of(std::uint64_t key, std::uint32_t slab) { return tag(key) | (slab + 1); }
std::uint32_t slab_of(std::uint32_t entry) { return (entry & kSlabMask) - 1; }

}  // namespace

SlabTable::SlabTable(std::size_t capacity)
    : capacity_(std::min<std::size_t>(capacity, kSlabMask - kSpares - 2)),
      index_bits_(static_cast<unsigned>(std::bit_width(std::max<std::size_t>(capacity_, 2) * 4 / 3))),
      slabs_(reserve<Slab>(capacity_ + kSpares)),
      links_(reserve<Link>(capacity_ + kSpares + 1)),
      index_(reserve<std::uint32_t>(std::size_t{1} << index_bits_)) {
  links_[end()] = {end(), end()};
}

std::size_t SlabTable::home(std::uint64_t key) const { return (key * 0x9E3779B97F4A7C15ULL) >> (64 - index_bits_); }

SlabTable::Found SlabTable::copy(std::uint32_t slab, std::uint64_t key, SlabValue& value) const {
  const Slab& from = slabs_[slab];
  const auto before = load(from.sequence, std::memory_order_acquire);
  if (before % 2 != 0) return Found::changed;
  const bool is_it = load(from.key, std::memory_order_relaxed) == key;
  if (is_it)
    for (std::size_t i = 0; i < kSlabWords; ++i) value[i] = load(from.value[i], std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_acquire);
  if (load(from.sequence, std::memory_order_relaxed) != before) return Found::changed;
  return is_it ? Found::yes : Found::other;
}

bool SlabTable::read(std::uint64_t key, SlabValue& value) const {
  const std::size_t mask = (std::size_t{1} << index_bits_) - 1;
  while (true) {
    const auto changes = load(changes_, std::memory_order_acquire);
    bool is_changed = false;
    for (std::size_t bucket = home(key); !is_changed; bucket = (bucket + 1) & mask) {
      const auto entry = load(index_[bucket], std::memory_order_acquire);
      if (entry == 0) break;
      if ((entry & ~kSlabMask) != tag(key)) continue;
      const Found found = copy(slab_of(entry), key, value);
      if (found == Found::yes) return true;
      is_changed = found == Found::changed;
    }
    if (!is_changed && load(changes_, std::memory_order_acquire) == changes) return false;
  }
}

/// The key's bucket, or the free one where it would come.
std::size_t SlabTable::find(std::uint64_t key) const {
  const std::size_t mask = (std::size_t{1} << index_bits_) - 1;
  std::size_t bucket = home(key);
  for (; index_[bucket] != 0; bucket = (bucket + 1) & mask)
    if ((index_[bucket] & ~kSlabMask) == tag(key) && slabs_[slab_of(index_[bucket])].key == key) break;
  return bucket;
}

void SlabTable::write(std::uint32_t slab, std::uint64_t key, const SlabValue& value) {
  Slab& to = slabs_[slab];
  const auto sequence = to.sequence;
  store(to.sequence, sequence + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  store(to.key, key, std::memory_order_relaxed);
  for (std::size_t i = 0; i < kSlabWords; ++i) store(to.value[i], value[i], std::memory_order_relaxed);
  store(to.sequence, sequence + 2, std::memory_order_release);
}

void SlabTable::publish(std::size_t bucket, std::uint32_t entry) {
  store(index_[bucket], entry, std::memory_order_release);
}

void SlabTable::finish() { store(changes_, changes_ + 1, std::memory_order_release); }

std::uint32_t SlabTable::take_spare() {
  // The one that was retired first, as the fewest readers still look at it. New slabs until there are enough.
  if (spares_ < kSpares && used_ < end()) return used_++;
  const std::uint32_t slab = first_spare_;
  first_spare_ = links_[slab].after;
  --spares_;
  return slab;
}

void SlabTable::retire(std::uint32_t slab) {
  write(slab, 0, {});
  if (spares_++ == 0) {
    first_spare_ = slab;
  } else {
    links_[last_spare_].after = slab;
  }
  last_spare_ = slab;
}

void SlabTable::link_last(std::uint32_t slab) {
  links_[slab] = {links_[end()].before, end()};
  links_[links_[end()].before].after = slab;
  links_[end()].before = slab;
}

void SlabTable::unlink(std::uint32_t slab) {
  const Link link = links_[slab];
  links_[link.before].after = link.after;
  links_[link.after].before = link.before;
}

void SlabTable::put(std::uint64_t key, const SlabValue& value) {
  const std::size_t bucket = find(key);
  const std::uint32_t old = index_[bucket];
  const std::uint32_t slab = take_spare();
  write(slab, key, value);
  publish(bucket, entry_of(key, slab));
  finish();
  link_last(slab);
  if (old == 0) {
    ++size_;
    return;
  }
  unlink(slab_of(old));
  retire(slab_of(old));
}

const SlabValue* SlabTable::get(std::uint64_t key) const {
  const std::uint32_t entry = index_[find(key)];
  return entry == 0 ? nullptr : &slabs_[slab_of(entry)].value;
}

bool SlabTable::erase(std::uint64_t key) {
  const std::size_t mask = (std::size_t{1} << index_bits_) - 1;
  std::size_t hole = find(key);
  if (index_[hole] == 0) return false;
  const std::uint32_t slab = slab_of(index_[hole]);
  // Knuth 6.4, algorithm R, but that an entry is in its new place before its old one is taken, and that this counts as
  // a change: who passed the new place too early and the old one too late looks again.
  for (std::size_t next = (hole + 1) & mask; index_[next] != 0; next = (next + 1) & mask) {
    const std::size_t from = home(slabs_[slab_of(index_[next])].key);
    const bool stays = hole <= next ? (hole < from && from <= next) : (hole < from || from <= next);
    if (stays) continue;
    publish(hole, index_[next]);
    finish();
    hole = next;
  }
  publish(hole, 0);
  finish();
  unlink(slab);
  retire(slab);
  --size_;
  return true;
}

std::optional<std::uint64_t> SlabTable::first_key() const {
  if (size_ == 0) return std::nullopt;
  return slabs_[links_[end()].after].key;
}

void SlabTable::for_each(const std::function<void(std::uint64_t key, const SlabValue&)>& visit) const {
  for (std::uint32_t slab = links_[end()].after; slab != end(); slab = links_[slab].after)
    visit(slabs_[slab].key, slabs_[slab].value);
}

std::size_t SlabTable::bytes() const {
  return used_ * (sizeof(Slab) + sizeof(Link)) + (sizeof(std::uint32_t) << index_bits_) + sizeof *this;
}

}  // namespace marquee::profile
