#include "marquee/evaluation/thompson.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace marquee::evaluation {
namespace {

using ::testing::HasSubstr;

TEST(Thompson, is_what_comes_out_by_hand_for_two_ads) {
  // Of a uniform draw and one whose density is 2x the second is greater with 2/3; with density n x^(n-1), n/(n+1).
  for (const double n : {2.0, 5.0, 400.0}) {
    const auto chosen = thompson_probabilities({{1, n}, {1, 1}}, 2);
    ASSERT_TRUE(chosen);
    EXPECT_NEAR((*chosen)[0][1], n / (n + 1), 1e-9) << n;
    EXPECT_NEAR((*chosen)[1][1], 1 / (n + 1), 1e-9) << n;
  }
}

TEST(Thompson, shows_equal_ads_equally_often_at_each_place) {
  const auto chosen = thompson_probabilities({std::vector<double>(8, 3.0), std::vector<double>(8, 700.0)}, 8);
  ASSERT_TRUE(chosen);
  for (const auto& place : *chosen)
    for (const double probability : place) EXPECT_NEAR(probability, 1.0 / 8, 1e-9);
}

TEST(Thompson, agrees_with_draws) {
  const BetaPrior prior{{47, 8, 3, 142, 0.5, 14, 7}, {12'198, 3'566, 900, 25'000, 300, 2'600, 2'100}};
  const auto chosen = thompson_probabilities(prior, 3);
  ASSERT_TRUE(chosen);
  const std::size_t n = prior.alpha.size();
  constexpr int kDraws = 100'000;
  std::vector<std::vector<int>> count(3, std::vector<int>(n));
  std::mt19937_64 engine(42);
  for (int draw = 0; draw < kDraws; ++draw) {
    std::vector<std::pair<double, std::size_t>> drawn;
    for (std::size_t i = 0; i < n; ++i) {
      const double a = std::gamma_distribution<double>(prior.alpha[i])(engine);
      const double b = std::gamma_distribution<double>(prior.beta[i])(engine);
      drawn.emplace_back(a / (a + b), i);
    }
    std::ranges::sort(drawn, std::greater<>());
    for (std::size_t k = 0; k < 3; ++k) ++count[k][drawn[k].second];
  }
  for (std::size_t k = 0; k < 3; ++k) {
    EXPECT_NEAR(std::accumulate((*chosen)[k].begin(), (*chosen)[k].end(), 0.0), 1, 1e-9);
    for (std::size_t i = 0; i < n; ++i) {
      const double p = (*chosen)[k][i];
      EXPECT_NEAR(static_cast<double>(count[k][i]) / kDraws, p, 5 * std::sqrt(p * (1 - p) / kDraws) + 1e-5)
          << k << " " << i;
    }
  }
}

TEST(Thompson, reads_the_priors_of_open_bandit) {
  const std::string path = MARQUEE_SOURCE_DIR "/data/open_bandit/prior_bts.yaml";
  const auto prior = read_prior(path, "men");
  ASSERT_TRUE(prior);
  EXPECT_EQ(prior->alpha.size(), 34U);
  EXPECT_EQ(prior->beta.size(), 34U);
  const auto chosen = thompson_probabilities(*prior, 3);
  ASSERT_TRUE(chosen);
  for (const auto& place : *chosen) EXPECT_NEAR(std::accumulate(place.begin(), place.end(), 0.0), 1, 1e-9);
  EXPECT_THAT(read_prior(path, "children").error().message, HasSubstr("no campaign \"children\""));
  EXPECT_FALSE(read_prior(path + ".gone", "men"));
}

TEST(Thompson, refuses_what_it_cannot_place) {
  EXPECT_FALSE(thompson_probabilities({{1}, {1}}, 2));
  EXPECT_FALSE(thompson_probabilities({{1, 0}, {1, 1}}, 1));
  EXPECT_FALSE(thompson_probabilities({{1, 1e15}, {1, 1e15}}, 1));
  EXPECT_FALSE(thompson_probabilities({{1, 1e-4}, {1, 1}}, 1));
  DecisionLog log;
  log.ads = {"0", "7"};
  log.positions = {"1"};
  EXPECT_THAT(thompson_policy({{1, 2}, {1, 1}}, log).error().message, HasSubstr("the log has others"));
}

}  // namespace
}  // namespace marquee::evaluation
