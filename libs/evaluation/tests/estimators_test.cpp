#include "marquee/evaluation/estimators.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace marquee::evaluation {
namespace {

/// Three decisions with the weights 1/2, 2 and 1, small enough to be worked out by hand.
struct Three {
  std::vector<double> reward = {1, 0, 1};
  std::vector<double> propensity = {0.5, 0.25, 0.5};
  std::vector<double> target = {0.25, 0.5, 0.5};
  std::vector<double> q_chosen = {0.5, 0.5, 0.2};
  std::vector<double> q_target = {0.4, 0.3, 0.6};
  [[nodiscard]] Sample sample() const { return {reward, propensity, target, q_chosen, q_target}; }
};

Estimate of(Estimator estimator, const std::vector<Estimate>& all) {
  return *std::ranges::find(all, estimator, &Estimate::estimator);
}

TEST(Estimators, are_what_comes_out_by_hand) {
  const Three three;
  const auto all = estimate_all(three.sample(), {.clip = 0.75, .switch_at = 1});
  ASSERT_EQ(all.size(), kEstimators.size());
  EXPECT_NEAR(of(Estimator::ipw, all).value, 1.5 / 3, 1e-15);
  EXPECT_NEAR(of(Estimator::clipped_ipw, all).value, (0.5 + 0.75) / 3, 1e-15);
  EXPECT_NEAR(of(Estimator::snipw, all).value, 1.5 / 3.5, 1e-15);
  EXPECT_NEAR(of(Estimator::dm, all).value, 1.3 / 3, 1e-15);
  EXPECT_NEAR(of(Estimator::dr, all).value, (1.3 + 0.25 - 1 + 0.8) / 3, 1e-15);
  EXPECT_NEAR(of(Estimator::sndr, all).value, 1.3 / 3 + (0.25 - 1 + 0.8) / 3.5, 1e-15);
  // The weight of exactly 1 still counts, that of 2 does not.
  EXPECT_NEAR(of(Estimator::switch_dr, all).value, (1.3 + 0.25 + 0.8) / 3, 1e-15);
}

TEST(Estimators, have_the_standard_errors_that_come_out_by_hand) {
  const Three three;
  const auto all = estimate_all(three.sample(), {});
  const auto ipw = of(Estimator::ipw, all);
  EXPECT_NEAR(ipw.standard_error, 0.5 / std::sqrt(3), 1e-15);
  EXPECT_NEAR(ipw.normal.high - ipw.value, 1.959963984540054 * ipw.standard_error, 1e-15);
  EXPECT_NEAR(ipw.value - ipw.normal.low, 1.959963984540054 * ipw.standard_error, 1e-15);
  EXPECT_NEAR(of(Estimator::snipw, all).standard_error, 0.374088, 1e-6);
}

TEST(Estimators, say_how_unevenly_their_own_weights_carry_them) {
  const Three three;
  const auto all = estimate_all(three.sample(), {.clip = 0.75, .switch_at = 1});
  const auto weights = *of(Estimator::ipw, all).weights;
  EXPECT_NEAR(weights.mean, 3.5 / 3, 1e-15);
  EXPECT_NEAR(weights.effective_decisions, 3.5 * 3.5 / 5.25, 1e-15);
  EXPECT_EQ(weights.max, 2);
  EXPECT_NEAR(weights.max_share, 2 / 3.5, 1e-15);
  EXPECT_EQ(of(Estimator::clipped_ipw, all).weights->max, 0.75);
  EXPECT_EQ(of(Estimator::switch_dr, all).weights->max, 1);
  EXPECT_FALSE(of(Estimator::dm, all).weights);
}

TEST(Estimators, give_the_mean_reward_for_the_policy_that_made_the_log) {
  Three three;
  three.target = three.propensity;
  const auto all = estimate_all(three.sample(), {});
  for (const auto estimator : {Estimator::ipw, Estimator::clipped_ipw, Estimator::snipw})
    EXPECT_NEAR(of(estimator, all).value, 2.0 / 3, 1e-15) << name_of(estimator);
}

TEST(Estimators, need_no_weights_where_the_model_knows_every_reward) {
  Three three;
  three.q_chosen = three.reward;
  const auto all = estimate_all(three.sample(), {});
  for (const auto estimator : {Estimator::dr, Estimator::sndr, Estimator::switch_dr})
    EXPECT_NEAR(of(estimator, all).value, 1.3 / 3, 1e-15) << name_of(estimator);
}

TEST(Estimators, have_no_normalized_value_where_every_weight_is_nothing) {
  Three three;
  three.target = {0, 0, 0};
  const auto all = estimate_all(three.sample(), {.bootstrap = 10});
  EXPECT_EQ(of(Estimator::ipw, all).value, 0);
  EXPECT_TRUE(std::isnan(of(Estimator::snipw, all).value));
  EXPECT_FALSE(of(Estimator::snipw, all).bootstrap);
  EXPECT_EQ(of(Estimator::ipw, all).weights->effective_decisions, 0);
}

TEST(Bootstrap, is_the_same_with_the_same_seed_and_another_with_another) {
  std::vector<double> ones(200, 1.0);
  std::vector<double> reward(200);
  for (std::size_t i = 0; i < reward.size(); ++i) reward[i] = static_cast<double>(i * i % 17);
  const Sample sample{reward, ones, ones, ones, ones};
  const auto interval = [&](std::uint64_t seed) {
    return *of(Estimator::ipw, estimate_all(sample, {.bootstrap = 400, .seed = seed})).bootstrap;
  };
  EXPECT_EQ(interval(7).low, interval(7).low);
  EXPECT_EQ(interval(7).high, interval(7).high);
  EXPECT_NE(interval(7).low, interval(8).low);
}

TEST(Bootstrap, agrees_with_the_normal_interval_where_the_mean_is_near_normal) {
  std::vector<double> ones(2'000, 1.0);
  std::vector<double> reward(2'000);
  for (std::size_t i = 0; i < reward.size(); ++i) reward[i] = static_cast<double>(i * i % 17);
  const auto all = estimate_all({reward, ones, ones, ones, ones}, {.bootstrap = 1'000, .seed = 3});
  const auto ipw = of(Estimator::ipw, all);
  EXPECT_NEAR(ipw.bootstrap->low, ipw.normal.low, 0.25 * ipw.standard_error);
  EXPECT_NEAR(ipw.bootstrap->high, ipw.normal.high, 0.25 * ipw.standard_error);
}

}  // namespace
}  // namespace marquee::evaluation
