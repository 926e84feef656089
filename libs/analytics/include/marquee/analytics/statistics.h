#pragma once

#include <cstdint>

namespace marquee::analytics {

/// Both ends of an interval for a proportion, in [0, 1].
struct Interval {
  double low = 0;
  double high = 0;
};

/// Wilson score interval at 95 % (E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
/// 1927). No trials give [0, 0]. `successes` above `trials` counts as `trials` (clicks may outnumber impressions in a
/// narrow range).
[[nodiscard]] Interval wilson(std::uint64_t successes, std::uint64_t trials);

}  // namespace marquee::analytics
