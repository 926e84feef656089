#include "marquee/decision/cap_book.h"

#include <algorithm>

namespace marquee::decision {
namespace {

std::span<const Stamp> of_target(std::span<const Stamp> stamps, std::uint64_t target) {
  const auto [begin, end] = std::ranges::equal_range(stamps, target, {}, &Stamp::target);
  return {begin, end};
}

void add(std::vector<Stamp>& stamps, const Stamp& stamp) {
  stamps.insert(std::ranges::upper_bound(stamps, stamp.target, {}, &Stamp::target), stamp);
}

/// The stamp that was reserved then; end() where there is none.
auto find_reserved(std::vector<Stamp>& stamps, std::uint64_t target, std::int64_t reserved_ms) {
  return std::ranges::find(stamps, Stamp{.target = target, .time_ms = reserved_ms, .is_reserved = true});
}

}  // namespace

void CapBook::read(std::uint64_t user, std::int64_t now_ms, std::vector<Stamp>& stamps) {
  stamps.clear();
  auto& shard = shard_of(user);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.users.find(user);
  if (found == shard.users.end()) return;
  std::ranges::copy_if(found->second, std::back_inserter(stamps),
                       [&](const Stamp& stamp) { return counts(stamp, now_ms); });
}

bool CapBook::fits(const AdRow& ad, std::span<const Stamp> stamps, std::int64_t now_ms, std::uint32_t more) {
  if (stamps.empty())
    return std::ranges::all_of(ad.caps,
                               [&](const CapRule& cap) { return more <= cap.count || cap.scope == CapScope::ad; });
  return std::ranges::all_of(ad.caps, [&](const CapRule& cap) {
    const auto seen = std::ranges::count_if(of_target(stamps, cap.target),
                                            [&](const Stamp& stamp) { return stamp.time_ms > now_ms - cap.window_ms; });
    // Of a set that is served together each ad is there once.
    return static_cast<std::uint64_t>(seen) + (cap.scope == CapScope::ad ? 1 : more) <= cap.count;
  });
}

bool CapBook::reserve(std::uint64_t user, const AdRow& ad, std::int64_t now_ms) {
  if (ad.counts_as.empty()) return true;
  auto& shard = shard_of(user);
  const std::lock_guard lock(shard.mutex);
  auto& stamps = shard.users[user];
  std::erase_if(stamps, [&](const Stamp& stamp) { return !counts(stamp, now_ms); });
  if (!fits(ad, stamps, now_ms)) return false;
  put(stamps, ad, now_ms);
  return true;
}

void CapBook::take_other(std::uint64_t user, const AdRow& ad, std::int64_t reserved_ms) {
  if (ad.counts_as.empty()) return;
  auto& shard = shard_of(user);
  const std::lock_guard lock(shard.mutex);
  put(shard.users[user], ad, reserved_ms);
}

void CapBook::put(std::vector<Stamp>& stamps, const AdRow& ad, std::int64_t reserved_ms) {
  for (const auto& [target, window] : ad.counts_as) {
    std::erase_if(stamps,
                  [&](const Stamp& stamp) { return stamp.target == target && stamp.time_ms <= reserved_ms - window; });
    add(stamps, {.target = target, .time_ms = reserved_ms, .is_reserved = true});
  }
}

void CapBook::release(std::uint64_t user, const AdRow& ad, std::int64_t reserved_ms) {
  auto& shard = shard_of(user);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.users.find(user);
  if (found == shard.users.end()) return;
  for (const auto& one : ad.counts_as)
    if (const auto stamp = find_reserved(found->second, one.target, reserved_ms); stamp != found->second.end())
      found->second.erase(stamp);
}

void CapBook::count(std::uint64_t user, const AdRow& ad, std::int64_t reserved_ms, std::int64_t time_ms) {
  if (ad.counts_as.empty()) return;
  auto& shard = shard_of(user);
  const std::lock_guard lock(shard.mutex);
  auto& stamps = shard.users[user];
  for (const auto& [target, window] : ad.counts_as) {
    if (const auto stamp = find_reserved(stamps, target, reserved_ms); stamp != stamps.end()) stamps.erase(stamp);
    std::erase_if(stamps,
                  [&](const Stamp& stamp) { return stamp.target == target && stamp.time_ms <= time_ms - window; });
    add(stamps, {.target = target, .time_ms = time_ms, .is_reserved = false});
  }
}

void CapBook::erase(std::uint64_t user, std::int64_t time_ms) {
  auto& shard = shard_of(user);
  const std::lock_guard lock(shard.mutex);
  const auto [erased, is_new] = shard.erased.try_emplace(user, time_ms);
  // Heard of again: who has come since is someone new.
  if (!is_new && time_ms <= erased->second) return;
  erased->second = time_ms;
  shard.users.erase(user);
}

bool CapBook::is_erased(std::uint64_t user, std::int64_t time_ms) {
  auto& shard = shard_of(user);
  const std::lock_guard lock(shard.mutex);
  const auto erased = shard.erased.find(user);
  return erased != shard.erased.end() && time_ms <= erased->second;
}

void CapBook::for_each(const std::function<void(std::uint64_t user, std::span<const Stamp> stamps)>& visit) {
  std::vector<Stamp> counted;
  for (auto& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    for (const auto& [user, stamps] : shard.users) {
      counted.clear();
      std::ranges::copy_if(stamps, std::back_inserter(counted), [](const Stamp& one) { return !one.is_reserved; });
      if (!counted.empty()) visit(user, counted);
    }
  }
}

void CapBook::restore(std::uint64_t user, std::vector<Stamp> stamps) {
  std::ranges::sort(stamps, {}, &Stamp::target);
  auto& shard = shard_of(user);
  const std::lock_guard lock(shard.mutex);
  if (const auto erased = shard.erased.find(user); erased != shard.erased.end())
    std::erase_if(stamps, [&](const Stamp& stamp) { return stamp.time_ms <= erased->second; });
  shard.users[user] = std::move(stamps);
}

void CapBook::forget(std::int64_t older_than_ms) {
  for (auto& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    std::erase_if(shard.erased, [&](const auto& one) { return one.second < older_than_ms; });
    for (auto user = shard.users.begin(); user != shard.users.end();) {
      std::erase_if(user->second, [&](const Stamp& stamp) { return stamp.time_ms < older_than_ms; });
      user = user->second.empty() ? shard.users.erase(user) : std::next(user);
    }
  }
}

}  // namespace marquee::decision
