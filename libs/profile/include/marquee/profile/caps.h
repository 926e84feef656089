// Frequency caps: which campaigns, ads and advertisers have one, and what a profile keeps of their impressions.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "marquee/base/result.h"

namespace marquee::profile {

enum class CapScope : std::uint8_t { campaign, ad, advertiser };

/// 32-bit hash of scope and id; never 0.
using CapKey = std::uint32_t;
[[nodiscard]] CapKey cap_key(CapScope scope, std::string_view id);

inline constexpr std::uint32_t kLongestCapS = 180 * 86'400;
inline constexpr std::uint32_t kLargestCap = 100;

/// What must be remembered for all caps of a key: its last `count` impressions, for `window_s`.
struct CapRule {
  std::uint32_t count = 0;
  std::uint32_t window_s = 0;
};

/// The caps in use, made from the catalog. A value: build it, then share it as const.
class CapRules {
 public:
  /// Several caps of a key are kept as the largest count and the longest window, which tells each of them exactly.
  /// Action::reject for no count or window, or beyond kLargestCap and kLongestCapS.
  [[nodiscard]] Result<void> add(CapScope scope, std::string_view id, CapRule rule);
  /// Null where nothing caps it.
  [[nodiscard]] const CapRule* find(CapKey key) const {
    const auto found = rules_.find(key);
    return found == rules_.end() ? nullptr : &found->second;
  }
  [[nodiscard]] bool empty() const { return rules_.empty(); }

 private:
  std::unordered_map<CapKey, CapRule> rules_;
};

}  // namespace marquee::profile
