#include "marquee/access/attempts.h"

#include <gtest/gtest.h>

#include <rapidcheck/gtest.h>

namespace marquee::access {
namespace {

using std::chrono::seconds;

constexpr WallTime kNow{Millis(1'800'000'000'000)};

TEST(AttemptLimit, lets_a_burst_through_and_then_says_how_long_to_wait) {
  AttemptLimit limit({.burst = 3, .refill = seconds(60)});
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(limit.begin("priya", kNow));
  const auto wait = limit.begin("priya", kNow);
  ASSERT_TRUE(wait);
  EXPECT_EQ(*wait, seconds(60));
  EXPECT_FALSE(limit.begin("ravi", kNow));
  EXPECT_TRUE(limit.begin("priya", kNow + seconds(59)));
  EXPECT_FALSE(limit.begin("priya", kNow + seconds(60)));
  EXPECT_TRUE(limit.begin("priya", kNow + seconds(60)));
}

TEST(AttemptLimit, does_not_count_what_succeeded_nor_what_it_refused) {
  AttemptLimit limit({.burst = 1, .refill = seconds(60)});
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(limit.begin("priya", kNow));
    limit.take_back("priya");
  }
  EXPECT_FALSE(limit.begin("priya", kNow));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(limit.begin("priya", kNow));
  EXPECT_FALSE(limit.begin("priya", kNow + seconds(60)));
}

TEST(AttemptLimit, remembers_so_many_keys_and_forgets_the_one_that_tried_longest_ago) {
  AttemptLimit limit({.burst = 1, .refill = seconds(60), .most = 2});
  EXPECT_FALSE(limit.begin("a", kNow));
  EXPECT_FALSE(limit.begin("b", kNow));
  EXPECT_FALSE(limit.begin("c", kNow));
  EXPECT_TRUE(limit.begin("b", kNow));
  EXPECT_TRUE(limit.begin("c", kNow));
  EXPECT_FALSE(limit.begin("a", kNow));
}

TEST(AttemptLimit, gives_nothing_for_a_clock_that_is_set_back) {
  AttemptLimit limit({.burst = 1, .refill = seconds(60)});
  EXPECT_FALSE(limit.begin("a", kNow));
  EXPECT_TRUE(limit.begin("a", kNow - seconds(3600)));
}

RC_GTEST_PROP(AttemptLimit, never_lets_more_failures_through_than_its_rules,
              (const std::vector<unsigned char>& steps)) {
  AttemptLimit limit({.burst = 5, .refill = seconds(10)});
  WallTime now = kNow;
  double allowed = 5;
  int failures = 0;
  for (const auto step : steps) {
    now += Millis(step * 50);
    allowed += step * 50 / 10'000.0;
    if (!limit.begin("a", now)) ++failures;
    RC_ASSERT(failures <= allowed + 1e-6);
  }
}

}  // namespace
}  // namespace marquee::access
