// A part of the profiles, fed from one partition of the log alone: what it holds follows from that partition's records,
// in their order, and from nothing else.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "marquee/event/identity_window.h"
#include "marquee/profile/profiles.h"
#include "slab_table.h"

namespace marquee::profile {

struct ShardOptions {
  std::size_t capacity = 1;       ///< Beyond it the profile of the user unseen for longest is let go.
  std::size_t repeat_window = 1;  ///< Events.
};

/// What happened since the shard was made.
struct ShardCounts {
  std::atomic<std::uint64_t> evicted = 0, erased = 0;
};

/// Thread safe; readers never wait.
class Shard {
 public:
  explicit Shard(ShardOptions options);

  [[nodiscard]] std::optional<Profile> read(ProfileId id) const;
  Outcome apply(ProfileId id, log::Offset offset, const event::Event& event, const EventProps& props);
  Outcome forget(ProfileId id, log::Offset offset);
  /// Erases, and takes no event of the user before `end` any more, nor before next(), nor one received by then; gives
  /// the later of the two offsets. An erasure that has a time and is in force already changes nothing.
  log::Offset erase(ProfileId id, ErasedUntil end);
  /// As erase(), of what was erased before the shard was loaded.
  void keep_erased(ProfileId id, ErasedUntil until);

  /// Everything before is applied, or none of this shard's.
  [[nodiscard]] log::Offset next() const { return next_.load(std::memory_order_acquire); }
  void advance(log::Offset next);

  [[nodiscard]] std::size_t profiles() const;
  [[nodiscard]] std::size_t bytes() const;
  [[nodiscard]] const ShardCounts& counts() const { return counts_; }

  /// Every so many-th profile. Writers wait meanwhile.
  void sample(std::size_t every, std::vector<Profile>& out) const;
  /// Appends all that load() needs. Writers wait meanwhile.
  void save(std::string& out) const;
  /// Into a shard that is new, but for what was erased. Takes what it reads off the front. False where it is cut off.
  [[nodiscard]] bool load(std::string_view& in);

 private:
  [[nodiscard]] bool is_erased(ProfileId id, log::Offset offset, std::int64_t received_ms) const;
  void update(ProfileId id, const event::Event& event, const EventProps& props);
  void put(ProfileId id, const SlabValue& value);

  mutable std::mutex mutex_;  ///< Of writers.
  SlabTable table_;
  event::IdentityWindow repeats_;
  std::unordered_map<std::uint64_t, ErasedUntil> erased_;
  std::atomic<log::Offset> next_ = 0;
  ShardCounts counts_;
};

}  // namespace marquee::profile
