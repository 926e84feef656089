#include "marquee/learning/model_watch.h"

#include <gtest/gtest.h>

#include "world.h"

namespace marquee::learning {
namespace {

TEST(QualityWindow, tells_calibration_log_loss_and_normalized_entropy) {
  QualityWindow window;
  for (int i = 0; i < 100; ++i) window.add(0.25, i < 20);
  const auto quality = window.quality();
  EXPECT_EQ(quality.examples, 100U);
  EXPECT_NEAR(quality.calibration, 1.25, 1e-12);
  const double loss = -(0.2 * std::log(0.25) + 0.8 * std::log(0.75));
  EXPECT_NEAR(quality.log_loss, loss, 1e-12);
  EXPECT_NEAR(quality.normalized_entropy, loss / -(0.2 * std::log(0.2) + 0.8 * std::log(0.8)), 1e-12);
}

TEST(QualityWindow, says_nothing_of_nothing) {
  EXPECT_EQ(QualityWindow().quality().examples, 0U);
  QualityWindow unclicked;
  unclicked.add(0.1, 0);
  EXPECT_EQ(unclicked.quality().calibration, 0);
  EXPECT_EQ(unclicked.quality().normalized_entropy, 0);
}

TEST(QualityWindow, slides) {
  QualityWindow window(10, 3);
  for (int i = 0; i < 100; ++i) window.add(0.5, 1);
  for (int i = 0; i < 30; ++i) window.add(0.1, i % 2);
  EXPECT_EQ(window.quality().examples, 30U);
  EXPECT_NEAR(window.quality().calibration, 0.2, 1e-12);
}

/// After how many examples a version is found worse that tells `served` times the truth (and noise of its own) where
/// the other's noise alone is between; 0: never in `count`.
int found_worse_after(double served, double noise, int count, std::uint64_t seed, int turns_bad_at = 0) {
  VersionTrial trial;
  Dice dice(seed);
  for (int i = 1; i <= count; ++i) {
    const double truth = 0.01 * std::exp(0.7 * dice.normal());
    const double said = truth * (i > turns_bad_at ? served : 1) * std::exp(noise * dice.normal());
    const double other = truth * std::exp(noise * dice.normal());
    if (trial.add(said, other, dice.happens(truth)) == Verdict::worse) return i;
  }
  return 0;
}

TEST(VersionTrial, rolls_back_a_version_that_is_worse) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_GT(found_worse_after(3, 0.2, 100'000, seed), 0) << "tells three times the truth, seed " << seed;
    EXPECT_GT(found_worse_after(0.2, 0.2, 100'000, seed), 0) << "tells a fifth, seed " << seed;
  }
}

TEST(VersionTrial, rolls_back_a_version_that_turned_bad_after_a_long_good_time) {
  const int after = found_worse_after(4, 0.2, 800'000, 1, 500'000);
  EXPECT_GT(after, 500'000);
}

// 300 trials of versions that are as good as the other, each asked after every example: about 3 might fail by chance.
TEST(VersionTrial, keeps_a_version_that_is_equal) {
  int failed = 0;
  for (std::uint64_t seed = 100; seed < 400; ++seed) failed += found_worse_after(1, 0.3, 10'000, seed) > 0;
  EXPECT_LE(failed, 8);
}

TEST(VersionTrial, keeps_a_version_that_is_better) {
  VersionTrial trial;
  Dice dice(5);
  for (int i = 0; i < 100'000; ++i) {
    const double truth = 0.01 * std::exp(0.7 * dice.normal());
    ASSERT_EQ(trial.add(truth, 0.0125, dice.happens(truth)), Verdict::undecided) << i;
  }
  EXPECT_LT(trial.mean_difference(), 0);
  EXPECT_LT(trial.lower_bound(), trial.mean_difference());
}

TEST(VersionTrial, does_not_decide_by_a_few_examples) {
  VersionTrial trial;
  for (int i = 0; i < 1'999; ++i) ASSERT_EQ(trial.add(0.9, 0.01, i % 50 == 0), Verdict::undecided);
  EXPECT_EQ(trial.add(0.9, 0.01, 0), Verdict::worse);
}

}  // namespace
}  // namespace marquee::learning
