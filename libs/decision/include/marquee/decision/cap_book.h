// What each user was shown lately, for frequency caps.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include "marquee/base/time.h"
#include "marquee/decision/inventory.h"

namespace marquee::decision {

/// An impression, or one to come.
struct Stamp {
  std::uint64_t target = 0;
  std::int64_t time_ms = 0;
  bool is_reserved = false;
  bool operator==(const Stamp&) const = default;
};

/// Windows slide: exact to the millisecond. As in Account, what a decision serves is reserved until its impression is
/// counted or can no longer be, so a cap is never exceeded in one process. Of several deciders each hears of what the
/// others take a moment later: asked for the same user within that moment, each of the others may add what was left of
/// the cap. A request whose user is not known has no caps. Memory: 24 bytes for each impression of a capped ad within
/// its cap's window, and some 80 a user.
///
/// Thread safe; a user's stamps are in one of kShards parts with a lock each.
class CapBook {
 public:
  explicit CapBook(Millis reserve_for) : reserve_ms_(reserve_for.count()) {}

  /// All that still counts for the user, by target.
  void read(std::uint64_t user, std::int64_t now_ms, std::vector<Stamp>& stamps);
  /// Whether `more` impressions of the ad fit under its caps, with `stamps` of read().
  [[nodiscard]] static bool fits(const AdRow& ad, std::span<const Stamp> stamps, std::int64_t now_ms,
                                 std::uint32_t more = 1);

  /// Asks again and takes one, in one step.
  [[nodiscard]] bool reserve(std::uint64_t user, const AdRow& ad, std::int64_t now_ms);
  /// One that another decider took, or this one before it began anew: it is, whatever caps say.
  void take_other(std::uint64_t user, const AdRow& ad, std::int64_t reserved_ms);
  void release(std::uint64_t user, const AdRow& ad, std::int64_t reserved_ms);
  void count(std::uint64_t user, const AdRow& ad, std::int64_t reserved_ms, std::int64_t time_ms);

  /// Forgets the user: all that is counted by now, and whatever restore() tells of times up to then.
  void erase(std::uint64_t user, std::int64_t time_ms);
  /// Whether what came then is to be forgotten.
  [[nodiscard]] bool is_erased(std::uint64_t user, std::int64_t time_ms);
  /// Each user's counted stamps, for a snapshot; reservations are not among them.
  void for_each(const std::function<void(std::uint64_t user, std::span<const Stamp> stamps)>& visit);
  void restore(std::uint64_t user, std::vector<Stamp> stamps);
  /// Forgets what no cap can look at any more.
  void forget(std::int64_t older_than_ms);

 private:
  static constexpr std::size_t kShards = 256;
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::uint64_t, std::vector<Stamp>> users;  ///< Stamps by target.
    std::unordered_map<std::uint64_t, std::int64_t> erased;       ///< When, by user.
  };
  static void put(std::vector<Stamp>& stamps, const AdRow& ad, std::int64_t reserved_ms);
  [[nodiscard]] Shard& shard_of(std::uint64_t user) { return shards_[(user ^ user >> 32) % kShards]; }
  [[nodiscard]] bool counts(const Stamp& stamp, std::int64_t now_ms) const {
    return !stamp.is_reserved || stamp.time_ms + reserve_ms_ > now_ms;
  }

  const std::int64_t reserve_ms_;
  std::array<Shard, kShards> shards_;
};

}  // namespace marquee::decision
