// What was seen within some time: identities of impressions and clicks.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <unordered_set>
#include <utility>

#include "marquee/base/time.h"

namespace marquee::serving {

/// Remembers each for at least `life`, and at most twice as long, by the time that it is given. Thread safe; parts have
/// locks of their own. Some 40 bytes for each.
class Recent {
 public:
  explicit Recent(Millis life) : life_ms_(life.count()) {}

  /// False where it is there already.
  bool add(std::uint64_t identity, std::int64_t now_ms) {
    auto& part = part_of(identity);
    const std::lock_guard lock(part.mutex);
    turn(part, now_ms);
    return !part.older.contains(identity) && part.newer.insert(identity).second;
  }
  void remove(std::uint64_t identity) {
    auto& part = part_of(identity);
    const std::lock_guard lock(part.mutex);
    part.newer.erase(identity);
    part.older.erase(identity);
  }
  [[nodiscard]] bool has(std::uint64_t identity) {
    auto& part = part_of(identity);
    const std::lock_guard lock(part.mutex);
    return part.newer.contains(identity) || part.older.contains(identity);
  }

 private:
  static constexpr std::size_t kParts = 64;
  struct Part {
    std::mutex mutex;
    std::int64_t turned_ms = 0;
    std::unordered_set<std::uint64_t> newer, older;
  };
  [[nodiscard]] Part& part_of(std::uint64_t identity) { return parts_[identity % kParts]; }
  void turn(Part& part, std::int64_t now_ms) const {
    if (now_ms - part.turned_ms < life_ms_) return;
    part.older = std::exchange(part.newer, {});
    part.turned_ms = now_ms;
  }

  const std::int64_t life_ms_;
  std::array<Part, kParts> parts_;
};

}  // namespace marquee::serving
