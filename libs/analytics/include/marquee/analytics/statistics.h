#pragma once

#include <cstdint>
#include <vector>

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

/// Two-sided p value of "both proportions are the same", in [0, 1]: Fisher's exact test (R. A. Fisher, 1922; tables
/// that are no likelier than the one seen) where an expected count is below 5, else the z test with pooled variance. 1
/// where either has no trials. Successes above trials count as trials.
[[nodiscard]] double same_proportion_p(std::uint64_t successes, std::uint64_t trials, std::uint64_t other_successes,
                                       std::uint64_t other_trials);

/// For each p value the smallest false discovery rate at which it is a discovery among them all (Y. Benjamini, Y.
/// Hochberg, 1995); in [0, 1], in the order given.
[[nodiscard]] std::vector<double> false_discovery_rates(const std::vector<double>& p_values);

}  // namespace marquee::analytics
