#include "marquee/profile/caps.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>

namespace marquee::profile {

CapKey cap_key(CapScope scope, std::string_view id) {
  // Apart from the seeds of topics, which are small too.
  const auto hash =
      static_cast<CapKey>(XXH3_64bits_withSeed(id.data(), id.size(), 0x100U + static_cast<unsigned>(scope)));
  return hash == 0 ? 1 : hash;
}

Result<void> CapRules::add(CapScope scope, std::string_view id, CapRule rule) {
  if (rule.count == 0 || rule.count > kLargestCap || rule.window_s == 0 || rule.window_s > kLongestCapS)
    return Error::reject(fmt::format("a cap of \"{}\" has 1 to {} impressions within 1 s to {} days", id, kLargestCap,
                                     kLongestCapS / 86'400));
  CapRule& kept = rules_[cap_key(scope, id)];
  kept.count = std::max(kept.count, rule.count);
  kept.window_s = std::max(kept.window_s, rule.window_s);
  return {};
}

}  // namespace marquee::profile
