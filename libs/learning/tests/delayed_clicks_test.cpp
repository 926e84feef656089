#include "marquee/learning/delayed_clicks.h"

#include <gtest/gtest.h>

#include <queue>

#include "world.h"

namespace marquee::learning {
namespace {

constexpr WallTime kStart{Millis(1'700'000'000'000)};

Impression blank(std::uint64_t ad = 1) {
  return {.rows = std::make_shared<const std::vector<Row>>(),
          .ad = {.values = {}, .path = {.site = 1, .category = 2, .campaign = 3, .ad = ad}},
          .position = 0,
          .time_s = 0};
}

struct Learned {
  std::vector<std::uint64_t> ads;
  std::vector<double> clicks;
  DelayedClicks::Learn into() {
    return [this](const Impression& impression, double outcome) {
      ads.push_back(impression.ad.path.ad);
      clicks.push_back(outcome);
    };
  }
};

TEST(DelayedClicks, are_learned_in_the_order_shown_when_their_window_ends) {
  Learned learned;
  DelayedClicks clicks({.window = Millis(1'000)}, learned.into());
  for (std::uint64_t i = 0; i < 3; ++i) clicks.show(i, kStart + Millis(100 * i), blank(i));
  EXPECT_TRUE(clicks.click(1, kStart + Millis(100), kStart + Millis(150)));
  clicks.advance(kStart + Millis(999));
  EXPECT_TRUE(learned.ads.empty());
  EXPECT_EQ(clicks.oldest(), kStart);
  clicks.advance(kStart + Millis(1'100));
  EXPECT_EQ(learned.ads, (std::vector<std::uint64_t>{0, 1}));
  EXPECT_EQ(learned.clicks, (std::vector<double>{0, 1}));
  EXPECT_EQ(clicks.waiting(), 1U);
}

TEST(DelayedClicks, count_a_click_once_and_none_before_its_impression_or_beyond_the_horizon) {
  Learned learned;
  DelayedClicks clicks({.window = Millis(1'000), .horizon = Millis(5'000)}, learned.into());
  clicks.show(1, kStart, blank());
  clicks.show(1, kStart, blank());
  EXPECT_EQ(clicks.waiting(), 1U);
  EXPECT_FALSE(clicks.click(1, kStart, kStart - Millis(1)));
  EXPECT_FALSE(clicks.click(1, kStart, kStart + Millis(5'001)));
  EXPECT_TRUE(clicks.click(1, kStart, kStart + Millis(10)));
  EXPECT_FALSE(clicks.click(1, kStart, kStart + Millis(20)));
  clicks.advance(kStart + Millis(1'000));
  EXPECT_EQ(learned.clicks, std::vector<double>{1});
}

TEST(DelayedClicks, late_ones_weigh_on_those_that_come_in_time) {
  Learned learned;
  DelayedClicks clicks({.window = Millis(1'000), .horizon = Millis(100'000)}, learned.into());
  for (std::uint64_t i = 0; i < 4; ++i) clicks.show(i, kStart, blank(i));
  for (std::uint64_t i = 0; i < 3; ++i) EXPECT_TRUE(clicks.click(i, kStart, kStart + Millis(10)));
  EXPECT_TRUE(clicks.click(3, kStart, kStart + Millis(50'000)));
  EXPECT_NEAR(clicks.share_within(Millis(1'000)), 0.75, 1e-9);
  clicks.advance(kStart + Millis(60'000));
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(learned.clicks[i], 4 / 3.0, 1e-9);
  EXPECT_EQ(learned.clicks[3], 0);
}

TEST(DelayedClicks, learn_the_oldest_early_where_there_is_no_room_at_the_age_it_has) {
  Learned learned;
  DelayedClicks clicks({.window = Millis(60'000), .horizon = Millis(100'000), .max_waiting = 2}, learned.into());
  clicks.show(1, kStart, blank(1));
  clicks.show(2, kStart, blank(2));
  EXPECT_TRUE(clicks.click(1, kStart, kStart + Millis(10)));
  EXPECT_TRUE(clicks.click(2, kStart, kStart + Millis(30'000)));
  clicks.show(3, kStart + Millis(1'000), blank(3));
  EXPECT_EQ(clicks.learned_early(), 1U);
  ASSERT_EQ(learned.ads, std::vector<std::uint64_t>{1});
  EXPECT_NEAR(learned.clicks[0], 2, 1e-9);  // Half of the clicks come within a second.
}

// A stream of impressions of p = 0.05 whose clicks take exponential time, mean twice the window: 39 % come within it.
// Returns the rate that the learner ends with, over the truth; `is_corrected` false takes the clicks as they are.
double learned_over_true(double mean_delay_s, double window_s, bool is_corrected) {
  constexpr double kRate = 0.05;
  Learner learner(spec_of({}), small(10));
  DelayedClicks clicks({.window = Millis(static_cast<std::int64_t>(window_s * 1000))},
                       [&](const Impression& shown, double outcome) {
                         (void)learner.learn(shown, is_corrected ? outcome : std::min(outcome, 1.0));
                       });
  struct Click {
    WallTime at, shown;
    std::uint64_t id;
    bool operator>(const Click& other) const { return at > other.at; }
  };
  std::priority_queue<Click, std::vector<Click>, std::greater<>> coming;
  const auto impression = blank();
  Dice dice(41);
  for (std::uint64_t id = 0; id < 400'000; ++id) {
    const auto now = kStart + Millis(200 * id);
    for (; !coming.empty() && coming.top().at <= now; coming.pop())
      EXPECT_TRUE(clicks.click(coming.top().id, coming.top().shown, coming.top().at));
    clicks.show(id, now, impression);
    if (dice.happens(kRate))
      coming.push({now + Millis(static_cast<std::int64_t>(1000 * dice.exponential(mean_delay_s))), now, id});
  }
  return learner.predict(impression).attraction / kRate;
}

TEST(DelayedClicks, leave_predictions_calibrated_whatever_share_comes_in_time) {
  EXPECT_NEAR(learned_over_true(60, 600, true), 1, 0.03);
  EXPECT_NEAR(learned_over_true(600, 600, true), 1, 0.05);
  EXPECT_NEAR(learned_over_true(1'200, 600, true), 1, 0.07);
}

TEST(DelayedClicks, would_leave_them_low_if_taken_as_they_are) { EXPECT_LT(learned_over_true(600, 600, false), 0.7); }

TEST(DelayedClicks, know_the_share_of_exponential_delays_within_any_age) {
  Learned learned;
  DelayedClicks clicks({}, learned.into());
  Dice dice(42);
  for (std::uint64_t i = 0; i < 50'000; ++i)
    (void)clicks.click(i, kStart, kStart + Millis(static_cast<std::int64_t>(1000 * dice.exponential(300))));
  for (const double age_s : {30.0, 100.0, 300.0, 1000.0})
    EXPECT_NEAR(clicks.share_within(Millis(static_cast<std::int64_t>(age_s * 1000))), 1 - std::exp(-age_s / 300), 0.01);
  DelayedClicks resumed({}, learned.into());
  resumed.restore(clicks.delays());
  EXPECT_EQ(resumed.share_within(Millis(100'000)), clicks.share_within(Millis(100'000)));
}

}  // namespace
}  // namespace marquee::learning
