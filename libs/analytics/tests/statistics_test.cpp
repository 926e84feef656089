#include "marquee/analytics/statistics.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>

namespace marquee::analytics {
namespace {

// Values from R: binom::binom.wilson(x, n).
TEST(Wilson, agrees_with_known_values) {
  EXPECT_NEAR(wilson(46, 10'000).low, 0.0034511, 1e-6);
  EXPECT_NEAR(wilson(46, 10'000).high, 0.0061295, 1e-6);
  EXPECT_NEAR(wilson(5, 10).low, 0.2365931, 1e-6);
  EXPECT_NEAR(wilson(5, 10).high, 0.7634069, 1e-6);
  EXPECT_NEAR(wilson(0, 20).high, 0.1611252, 1e-6);
}

TEST(Wilson, says_nothing_of_no_trials) {
  EXPECT_EQ(wilson(0, 0).low, 0);
  EXPECT_EQ(wilson(0, 0).high, 0);
}

RC_GTEST_PROP(Wilson, holds_the_rate_and_stays_between_0_and_1, (unsigned a, unsigned b)) {
  const std::uint64_t trials = std::max(a, b), successes = std::min(a, b);
  RC_PRE(trials > 0);
  const auto [low, high] = wilson(successes, trials);
  const double rate = static_cast<double>(successes) / static_cast<double>(trials);
  RC_ASSERT(low >= 0 && low <= rate + 1e-12 && rate <= high + 1e-12 && high <= 1);
}

// The ends of the interval are the rates at which the score test just fails: (p - p0)^2 = z^2 p0 (1 - p0) / n.
RC_GTEST_PROP(Wilson, solves_the_score_equation, (std::uint16_t a, std::uint16_t b)) {
  const std::uint64_t trials = std::max(a, b), successes = std::min(a, b);
  RC_PRE(trials > 0 && successes > 0 && successes < trials);
  const double n = static_cast<double>(trials), p = static_cast<double>(successes) / n;
  for (const double end : {wilson(successes, trials).low, wilson(successes, trials).high})
    RC_ASSERT(std::abs((p - end) * (p - end) - 1.959963984540054 * 1.959963984540054 * end * (1 - end) / n) < 1e-9);
}

TEST(Wilson, narrows_with_more_trials) {
  const auto few = wilson(10, 100), many = wilson(1000, 10'000);
  EXPECT_LT(many.high - many.low, few.high - few.low);
}

// Values from R: fisher.test(matrix(c(a, n - a, b, m - b), 2))$p.value and prop.test(c(a, b), c(n, m), correct =
// FALSE).
TEST(SameProportion, agrees_with_known_values) {
  EXPECT_NEAR(same_proportion_p(3, 4, 1, 4), 0.4857143, 1e-7);    // Fisher's tea: 2 * (16 + 1) / 70
  EXPECT_NEAR(same_proportion_p(4, 4, 0, 4), 0.0285714, 1e-7);    // 2 / 70
  EXPECT_NEAR(same_proportion_p(0, 10, 5, 10), 0.0325077, 1e-7);  // 2 * choose(10, 5) / choose(20, 5)
  EXPECT_NEAR(same_proportion_p(46, 10'000, 69, 10'000), 0.0315, 5e-5);
  EXPECT_EQ(same_proportion_p(5, 10, 50, 100), 1);
  EXPECT_EQ(same_proportion_p(1, 0, 5, 10), 1);
}

RC_GTEST_PROP(SameProportion, is_symmetric_and_a_probability,
              (std::uint8_t a, std::uint8_t b, std::uint8_t n, std::uint8_t m)) {
  const double p = same_proportion_p(a, n, b, m);
  RC_ASSERT(p >= 0 && p <= 1);
  RC_ASSERT(std::abs(p - same_proportion_p(b, m, a, n)) < 1e-9);
}

TEST(FalseDiscoveryRates, agree_with_known_values) {
  // R: p.adjust(c(0.01, 0.04, 0.03, 0.5), "BH")
  const auto rates = false_discovery_rates({0.01, 0.04, 0.03, 0.5});
  const std::vector<double> expected = {0.04, 0.16 / 3, 0.16 / 3, 0.5};
  for (std::size_t i = 0; i < rates.size(); ++i) EXPECT_NEAR(rates[i], expected[i], 1e-12);
  EXPECT_TRUE(false_discovery_rates({}).empty());
}

}  // namespace
}  // namespace marquee::analytics
