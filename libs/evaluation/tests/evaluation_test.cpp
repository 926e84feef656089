#include "marquee/evaluation/evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "synthetic.h"

namespace marquee::evaluation {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<double> kClicks = {0.05, 0.1, 0.2, 0.4};
const std::vector<double> kLogging = {0.4, 0.3, 0.2, 0.1};
const std::vector<double> kTarget = {0.1, 0.1, 0.3, 0.5};

Evaluation evaluated(const DecisionLog& log, const std::vector<double>& target, const Options& options = {}) {
  const auto policy = weighted_policy({target});
  auto result = evaluate(log, *policy, options);
  EXPECT_TRUE(result) << (result ? "" : result.error().message);
  return *result;
}

TEST(Evaluation, is_unbiased_and_its_intervals_hold_the_value_as_often_as_they_say) {
  constexpr int kRuns = 400;
  const double truth = SyntheticWorld(kClicks, kLogging, 0).value_of(kTarget);
  std::map<Estimator, int> covered;
  std::map<Estimator, double> sum, square;
  for (int run = 0; run < kRuns; ++run) {
    SyntheticWorld world(kClicks, kLogging, 1'000 + run);
    for (const auto& estimate : evaluated(world.log(1'000), kTarget).estimates) {
      const auto estimator = estimate.estimator;
      covered[estimator] += estimate.normal.low <= truth && truth <= estimate.normal.high ? 1 : 0;
      sum[estimator] += estimate.value - truth;
      square[estimator] += (estimate.value - truth) * (estimate.value - truth);
    }
  }
  for (const auto estimator :
       {Estimator::ipw, Estimator::snipw, Estimator::dr, Estimator::sndr, Estimator::switch_dr}) {
    const double bias = sum[estimator] / kRuns;
    const double error = std::sqrt(square[estimator] / kRuns / kRuns);
    EXPECT_LT(std::abs(bias), 4 * error + 1e-3 * truth) << name_of(estimator);
    EXPECT_GT(covered[estimator], 0.92 * kRuns) << name_of(estimator);
    EXPECT_LT(covered[estimator], 0.98 * kRuns) << name_of(estimator);
  }
  // What the model is for.
  EXPECT_LT(square[Estimator::dr], square[Estimator::ipw]);
}

TEST(Evaluation, trusts_a_log_that_shows_what_the_policy_does) {
  SyntheticWorld world(kClicks, kLogging, 5);
  const auto result = evaluated(world.log(5'000), kTarget);
  EXPECT_THAT(result.refusals, IsEmpty());
  EXPECT_THAT(result.cautions, IsEmpty());
  EXPECT_NEAR(result.weights.mean, 1, 0.1);
  EXPECT_EQ(result.unsupported, 0);
}

TEST(Evaluation, gives_the_logged_value_for_the_logging_policy) {
  SyntheticWorld world(kClicks, kLogging, 6);
  const auto result = evaluated(world.log(500), kLogging);
  EXPECT_NEAR(result.estimates.front().value, result.logged_value, 1e-12);
  EXPECT_NEAR(result.estimates.front().standard_error, result.logged_error, 1e-12);
  EXPECT_NEAR(result.weights.effective_decisions, 500, 1e-9);
  EXPECT_THAT(result.refusals, IsEmpty());
}

TEST(Evaluation, refuses_where_too_few_decisions_count) {
  SyntheticWorld world(kClicks, {0.985, 0.005, 0.005, 0.005}, 7);
  const auto result = evaluated(world.log(2'000), {0, 0, 0, 1});
  EXPECT_THAT(result.refusals, Contains(HasSubstr("fewer than 50")));
}

TEST(Evaluation, refuses_where_too_small_a_share_of_the_decisions_counts) {
  SyntheticWorld world(kClicks, {0.995, 0.002, 0.002, 0.001}, 8);
  const auto result = evaluated(world.log(100'000), {0, 0, 0, 1});
  EXPECT_GT(result.weights.effective_decisions, 50);
  EXPECT_THAT(result.refusals, Contains(HasSubstr("less than 1 %")));
}

TEST(Evaluation, refuses_where_one_decision_outweighs_the_others) {
  SyntheticWorld world(kClicks, kLogging, 9);
  auto log = world.log(5'000);
  log.propensity[17] = 1e-5;
  const auto result = evaluated(log, kTarget);
  EXPECT_THAT(result.refusals, Contains(HasSubstr("one decision has")));
}

TEST(Evaluation, refuses_propensities_that_are_not_those_of_the_logging_policy) {
  SyntheticWorld world(kClicks, kLogging, 10);
  auto log = world.log(5'000);
  for (double& propensity : log.propensity) propensity *= 0.8;
  const auto result = evaluated(log, kTarget);
  EXPECT_THAT(result.refusals, Contains(HasSubstr("the mean weight is 1.2")));
}

TEST(Evaluation, refuses_what_the_log_never_shows) {
  SyntheticWorld world(kClicks, {0.5, 0.3, 0.2, 0}, 11);
  const auto result = evaluated(world.log(5'000), {0.5, 0.25, 0.15, 0.1});
  EXPECT_NEAR(result.unsupported, 0.1, 1e-9);
  EXPECT_THAT(result.refusals, Contains(HasSubstr("10 % of the policy's probability is on ads")));
}

TEST(Evaluation, refuses_candidates_whose_propensities_do_not_sum_to_one) {
  SyntheticWorld world(kClicks, kLogging, 12);
  auto log = world.log(1'000);
  log.candidates_begin = {0};
  for (std::size_t i = 0; i < log.size(); ++i) {
    for (std::uint32_t ad = 0; ad < 4; ++ad) {
      log.candidate_ad.push_back(ad);
      log.candidate_propensity.push_back(kLogging[ad]);
    }
    log.candidates_begin.push_back(log.candidate_ad.size());
  }
  EXPECT_THAT(evaluated(log, kTarget).refusals, IsEmpty());
  log.candidate_propensity[0] = 0;
  const auto result = evaluated(log, kTarget);
  EXPECT_THAT(result.refusals, Contains(HasSubstr("propensities of 1 decisions do not sum to 1")));
  EXPECT_GT(result.unsupported, 0);
}

TEST(Evaluation, warns_where_the_value_is_carried_by_few_rewards) {
  SyntheticWorld world({0.002, 0.002, 0.002, 0.002}, kLogging, 13);
  EXPECT_THAT(evaluated(world.log(1'000), kTarget).cautions, Contains(HasSubstr("rewarded decisions")));
}

TEST(Evaluation, warns_where_the_log_contradicts_the_model) {
  // The ad is clicked where it is rarely shown, which means by ad and position cannot know.
  SyntheticWorld world({0.1, 0.1}, {0.5, 0.5}, 18);
  auto log = world.log(4'000);
  for (std::size_t i = 0; i < log.size(); i += 2) {
    log.propensity[i] = log.ad[i] == 0 ? 0.75 : 0.25;
    log.reward[i] = log.ad[i] == 0 ? 0 : 1;
  }
  EXPECT_TRUE(is_model_contradicted(evaluated(log, {0.1, 0.9})));
  EXPECT_THAT(evaluated(log, {0.1, 0.9}).cautions, Contains(HasSubstr("dm is wrong")));
  EXPECT_FALSE(is_model_contradicted(evaluated(world.log(4'000), {0.1, 0.9})));
}

TEST(Evaluation, warns_where_clipping_takes_much_away) {
  SyntheticWorld world(kClicks, kLogging, 14);
  EXPECT_THAT(evaluated(world.log(2'000), kTarget, {.clip = 1}).cautions, Contains(HasSubstr("clipping at 1")));
}

TEST(Evaluation, rejects_a_policy_that_chooses_none_of_the_candidates) {
  SyntheticWorld world(kClicks, kLogging, 15);
  const auto result = evaluate(world.log(100), *weighted_policy({{0, 0, 0, 0}}), {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().action, Action::reject);
  EXPECT_THAT(result.error().message, HasSubstr("decision 1:"));
}

TEST(RewardModel, has_not_seen_the_rewards_that_it_is_used_for) {
  SyntheticWorld world(kClicks, kLogging, 16);
  auto log = world.log(300);
  const auto before = RewardModel::fit(log, 3, 1);
  for (std::size_t i = 0; i < log.size(); ++i)
    if (before.fold(i) == 1) log.reward[i] = 100;
  const auto after = RewardModel::fit(log, 3, 1);
  for (std::size_t ad = 0; ad < 4; ++ad) {
    EXPECT_EQ(before.expected(1, 0, ad), after.expected(1, 0, ad));
    EXPECT_NE(before.expected(0, 0, ad), after.expected(0, 0, ad));
  }
}

TEST(RewardModel, draws_means_towards_those_above_them) {
  SyntheticWorld world(kClicks, kLogging, 17);
  const auto log = world.log(20'000);
  const auto model = RewardModel::fit(log, 2, 1);
  ASSERT_EQ(model.folds(), 2U);
  // Decisions in plenty: near the truth. None: the mean of all.
  for (std::size_t ad = 0; ad < 4; ++ad) EXPECT_NEAR(model.expected(0, 0, ad), kClicks[ad], 0.03);
  auto with_new_ad = log;
  with_new_ad.ads.emplace_back("new");
  EXPECT_NEAR(RewardModel::fit(with_new_ad, 2, 1).expected(0, 0, 4), 0.13, 0.01);
}

TEST(RewardModel, is_the_means_that_come_out_by_hand) {
  // Fold by fold the rewards are the same, so that each model is made of one decision of ad 0 (1) and one of ad 1 (0).
  DecisionLog log;
  log.ads = {"a", "b"};
  log.positions = {"1"};
  for (int i = 0; i < 100; ++i) {
    log.ad.push_back(i % 2);
    log.position.push_back(0);
    log.reward.push_back(i % 2 == 0 ? 1 : 0);
    log.propensity.push_back(0.5);
  }
  const auto model = RewardModel::fit(log, 2, 4);
  double decisions = 0, rewarded = 0;
  for (std::size_t i = 0; i < log.size(); ++i) {
    if (model.fold(i) == 0) continue;
    decisions += 1;
    rewarded += log.reward[i];
  }
  ASSERT_EQ(decisions, 50);
  const double mean = rewarded / decisions;
  const double strength = std::max(1.0, (1 - mean) / mean);
  const double of_ad = (rewarded + strength * mean) / (rewarded + strength);
  EXPECT_NEAR(model.expected(0, 0, 0), (rewarded + strength * of_ad) / (rewarded + strength), 1e-12);
}

}  // namespace
}  // namespace marquee::evaluation
