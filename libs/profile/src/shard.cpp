#include "shard.h"

#include <algorithm>
#include <bit>

#include "raw_bytes.h"
#include "sighting.h"

namespace marquee::profile {
namespace {

ProfileRecord record_of(const SlabValue& value) { return std::bit_cast<ProfileRecord>(value); }
SlabValue value_of(const ProfileRecord& record) { return std::bit_cast<SlabValue>(record); }

}  // namespace

Shard::Shard(ShardOptions options)
    : table_(std::max<std::size_t>(options.capacity, 1)), repeats_(options.repeat_window) {}

std::optional<Profile> Shard::read(ProfileId id) const {
  SlabValue value;
  if (!table_.read(id.value, value)) return std::nullopt;
  return Profile(record_of(value));
}

Outcome Shard::apply(ProfileId id, log::Offset offset, const event::Event& event, const EventProps& props) {
  const std::lock_guard lock(mutex_);
  if (offset < next()) return Outcome::before;
  next_.store(offset + 1, std::memory_order_release);
  if (is_erased(id, offset, event.received_time_ms)) return Outcome::before;
  if (!repeats_.insert(event::identity(event))) return Outcome::repeat;
  update(id, event, props);
  return Outcome::applied;
}

void Shard::update(ProfileId id, const event::Event& event, const EventProps& props) {
  const SlabValue* value = table_.get(id.value);
  ProfileRecord record = value != nullptr ? record_of(*value) : ProfileRecord{};
  take_in(record, event, props);
  put(id, value_of(record));
}

void Shard::put(ProfileId id, const SlabValue& value) {
  if (table_.size() >= table_.capacity() && table_.get(id.value) == nullptr) {
    table_.erase(*table_.first_key());
    counts_.evicted.fetch_add(1, std::memory_order_relaxed);
  }
  table_.put(id.value, value);
}

Outcome Shard::forget(ProfileId id, log::Offset offset) {
  const std::lock_guard lock(mutex_);
  if (offset < next()) return Outcome::before;
  next_.store(offset + 1, std::memory_order_release);
  if (table_.erase(id.value)) counts_.erased.fetch_add(1, std::memory_order_relaxed);
  return Outcome::forgotten;
}

log::Offset Shard::erase(ProfileId id, ErasedUntil end) {
  const std::lock_guard lock(mutex_);
  auto& [before, received_ms] = erased_[id.value];
  // Heard of again: who has come since is someone new.
  if (end.received_ms > 0 && end.received_ms <= received_ms && end.before <= before) return before;
  // Not before next(): a snapshot of before this moment must be known as such by its own next.
  before = std::max({before, end.before, next()});
  received_ms = std::max(received_ms, end.received_ms);
  if (table_.erase(id.value)) counts_.erased.fetch_add(1, std::memory_order_relaxed);
  return before;
}

void Shard::keep_erased(ProfileId id, ErasedUntil until) {
  const std::lock_guard lock(mutex_);
  auto& [before, received_ms] = erased_[id.value];
  before = std::max(before, until.before);
  received_ms = std::max(received_ms, until.received_ms);
}

bool Shard::is_erased(ProfileId id, log::Offset offset, std::int64_t received_ms) const {
  const auto found = erased_.find(id.value);
  return found != erased_.end() && (offset < found->second.before || received_ms <= found->second.received_ms);
}

void Shard::advance(log::Offset next) {
  const std::lock_guard lock(mutex_);
  next_.store(std::max(next_.load(), next), std::memory_order_release);
}

std::size_t Shard::profiles() const {
  const std::lock_guard lock(mutex_);
  return table_.size();
}

std::size_t Shard::bytes() const {
  const std::lock_guard lock(mutex_);
  return table_.bytes() + repeats_.bytes() + erased_.size() * 5 * sizeof(std::uint64_t);
}

void Shard::sample(std::size_t every, std::vector<Profile>& out) const {
  const std::lock_guard lock(mutex_);
  std::size_t number = 0;
  table_.for_each([&](std::uint64_t, const SlabValue& value) {
    if (number++ % every == 0) out.emplace_back(record_of(value));
  });
}

void Shard::save(std::string& out) const {
  const std::lock_guard lock(mutex_);
  append(out, next());
  append(out, std::uint64_t{table_.size()});
  out.reserve(out.size() + table_.size() * (sizeof(std::uint64_t) + sizeof(SlabValue)));
  table_.for_each([&](std::uint64_t key, const SlabValue& value) {
    append(out, key);
    append(out, value);
  });
  append(out, std::uint64_t{repeats_.size()});
  repeats_.for_each([&](std::uint64_t identity) { append(out, identity); });
}

bool Shard::load(std::string_view& in) {
  const std::lock_guard lock(mutex_);
  log::Offset next = 0;
  std::uint64_t count = 0;
  if (!take(in, next) || !take(in, count)) return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t key = 0;
    SlabValue value;
    if (!take(in, key) || !take(in, value)) return false;
    // An event after the erasure may have made a new profile; this one is older.
    if (const auto found = erased_.find(key); found != erased_.end() && next <= found->second.before) continue;
    put({key}, value);
  }
  if (!take(in, count)) return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t identity = 0;
    if (!take(in, identity) || !repeats_.insert(identity)) return false;
  }
  next_.store(next, std::memory_order_release);
  return true;
}

}  // namespace marquee::profile
