#include "shard.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "cap_log.h"
#include "sighting.h"

namespace marquee::profile {
namespace {

constexpr std::size_t kMark = kSlabWords - 1;
constexpr std::uint64_t kIsMore = std::uint64_t{1} << 56;  ///< In a record this byte is spare, and 0.

std::uint64_t more_key(ProfileId id, std::size_t number) {
  return std::rotl(id.value, 32) ^ (number * 0x9E3779B97F4A7C15ULL);
}
/// Whose the slab is.
ProfileId owner(std::uint64_t key, const SlabValue& value) { return {value[kMark] >> 56 != 0 ? value[0] : key}; }

ProfileRecord record_of(const SlabValue& value) { return std::bit_cast<ProfileRecord>(value); }
SlabValue value_of(const ProfileRecord& record) { return std::bit_cast<SlabValue>(record); }

template <class T>
void append(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <class T>
bool take(std::string_view& in, T& value) {
  if (in.size() < sizeof value) return false;
  std::memcpy(&value, in.data(), sizeof value);
  in.remove_prefix(sizeof value);
  return true;
}

}  // namespace

Shard::Shard(ShardOptions options)
    : table_(std::max(options.capacity, kMoreSlabs + 1)),
      repeats_(options.repeat_window),
      rules_(std::make_shared<const CapRules>()) {}

std::optional<Profile> Shard::read(ProfileId id) const {
  constexpr int kTries = 4;
  SlabValue value;
  for (int tries = 1;; ++tries) {
    if (!table_.read(id.value, value)) return std::nullopt;
    const ProfileRecord record = record_of(value);
    std::vector<std::uint64_t> more;
    std::size_t number = 1;
    for (; number <= record.more_slabs && table_.read(more_key(id, number), value); ++number)
      more.insert(more.end(), value.begin() + 1, value.begin() + 1 + kWordsOfMore);
    // One that is missing went after the record was read: the record is another by now.
    if (number > record.more_slabs || tries == kTries) return Profile(record, std::move(more));
  }
}

Outcome Shard::apply(ProfileId id, log::Offset offset, const event::Event& event, const EventProps& props) {
  const std::lock_guard lock(mutex_);
  if (offset < next()) return Outcome::before;
  next_.store(offset + 1, std::memory_order_release);
  if (is_erased(id, offset)) return Outcome::before;
  if (!repeats_.insert(event::identity(event))) return Outcome::repeat;
  update(id, event, props);
  return Outcome::applied;
}

void Shard::update(ProfileId id, const event::Event& event, const EventProps& props) {
  ProfileRecord record{};
  if (const SlabValue* value = table_.get(id.value)) {
    record = record_of(*value);
    // Its slabs stay together in the list, and are none that room is made of.
    for (std::size_t number = 1; number <= record.more_slabs; ++number) table_.touch(more_key(id, number));
    table_.touch(id.value);
  } else {
    profiles_.fetch_add(1, std::memory_order_relaxed);
  }
  const Seconds was_seen = record.last_seen;
  take_in(record, event, props);
  const auto keys = capped_keys(event, props, *rules_);
  // Once a day what is too old to be told by its 24 bits has to go.
  const bool is_other_day = was_seen / kDayS != record.last_seen / kDayS;
  if (!keys.empty() || (record.caps[0] != 0 && is_other_day)) update_caps(id, record, was_seen, keys, time_of(event));
  put(id.value, value_of(record));
}

void Shard::update_caps(ProfileId id, ProfileRecord& record, Seconds was_seen, const std::vector<CapKey>& keys,
                        Seconds time) {
  std::vector<std::uint64_t> words(record.caps.begin(), record.caps.end());
  for (std::size_t number = 1; number <= record.more_slabs; ++number)
    if (const SlabValue* value = table_.get(more_key(id, number)))
      words.insert(words.end(), value->begin() + 1, value->begin() + 1 + kWordsOfMore);
  CapLog caps(std::move(words), was_seen);
  caps.advance(record.last_seen);
  for (const CapKey key : keys)
    if (!caps.add(key, time, *rules_, kInnerCaps + kMoreSlabs * kWordsOfMore))
      counts_.caps_lost.fetch_add(1, std::memory_order_relaxed);
  put_caps(id, record, caps.words());
}

void Shard::put_caps(ProfileId id, ProfileRecord& record, const std::vector<std::uint64_t>& words) {
  std::size_t at = std::min(words.size(), kInnerCaps);
  record.caps = {};
  std::copy_n(words.begin(), at, record.caps.begin());
  std::size_t number = 1;
  for (; at < words.size(); ++number) {
    const std::size_t count = std::min(words.size() - at, kWordsOfMore);
    SlabValue value{};
    value[0] = id.value;
    value[kMark] = kIsMore;
    std::copy_n(words.begin() + static_cast<std::ptrdiff_t>(at), count, value.begin() + 1);
    put(more_key(id, number), value);
    at += count;
  }
  for (std::size_t gone = number; gone <= record.more_slabs; ++gone) table_.erase(more_key(id, gone));
  record.more_slabs = static_cast<std::uint8_t>(number - 1);
}

void Shard::put(std::uint64_t key, const SlabValue& value) {
  while (table_.size() >= table_.capacity() && table_.get(key) == nullptr) {
    const std::uint64_t oldest = *table_.first_key();
    if (!remove(owner(oldest, *table_.get(oldest)))) table_.erase(oldest);
    counts_.evicted.fetch_add(1, std::memory_order_relaxed);
  }
  table_.put(key, value);
}

bool Shard::remove(ProfileId id) {
  const SlabValue* value = table_.get(id.value);
  const std::size_t more = value == nullptr ? 0 : record_of(*value).more_slabs;
  if (!table_.erase(id.value)) return false;
  for (std::size_t number = 1; number <= more; ++number) table_.erase(more_key(id, number));
  profiles_.fetch_sub(1, std::memory_order_relaxed);
  return true;
}

Outcome Shard::forget(ProfileId id, log::Offset offset) {
  const std::lock_guard lock(mutex_);
  if (offset < next()) return Outcome::before;
  next_.store(offset + 1, std::memory_order_release);
  if (remove(id)) counts_.erased.fetch_add(1, std::memory_order_relaxed);
  return Outcome::forgotten;
}

log::Offset Shard::erase(ProfileId id, log::Offset end) {
  const std::lock_guard lock(mutex_);
  log::Offset& before = erased_[id.value];
  // Not before next(): a snapshot of before this moment must be known as such by its own next.
  before = std::max({before, end, next()});
  if (remove(id)) counts_.erased.fetch_add(1, std::memory_order_relaxed);
  return before;
}

void Shard::keep_erased(ProfileId id, log::Offset before) {
  const std::lock_guard lock(mutex_);
  log::Offset& kept = erased_[id.value];
  kept = std::max(kept, before);
}

bool Shard::is_erased(ProfileId id, log::Offset offset) const {
  const auto found = erased_.find(id.value);
  return found != erased_.end() && offset < found->second;
}

void Shard::set_rules(std::shared_ptr<const CapRules> rules) {
  const std::lock_guard lock(mutex_);
  rules_ = std::move(rules);
}

void Shard::advance(log::Offset next) {
  const std::lock_guard lock(mutex_);
  next_.store(std::max(next_.load(), next), std::memory_order_release);
}

std::size_t Shard::bytes() const {
  const std::lock_guard lock(mutex_);
  return table_.bytes() + repeats_.bytes() + erased_.size() * 4 * sizeof(std::uint64_t);
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
    const ProfileId id = owner(key, value);
    // An event after the erasure may have made a new profile; this one is older.
    if (const auto found = erased_.find(id.value); found != erased_.end() && next <= found->second) continue;
    put(key, value);
    if (id.value == key) profiles_.fetch_add(1, std::memory_order_relaxed);
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
