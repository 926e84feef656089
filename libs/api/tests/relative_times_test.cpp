#include "relative_times.h"

#include <gtest/gtest.h>

#include "answers.h"

namespace marquee::api {
namespace {

using namespace std::chrono;

/// A Wednesday.
constexpr sys_time<milliseconds> kNow = sys_days{2026y / November / 25} + 13h + 37min + 12s + 345ms;

std::string range_text(const std::string& span, sys_time<milliseconds> now = kNow) {
  const auto range = range_of({.from = {}, .to = {}, .last = span}, now);
  return range ? time_text(*range->from_ms) + " " + time_text(*range->to_ms) : range.error().message;
}

TEST(RelativeTimes, are_whole_units_that_end_with_the_current_one) {
  EXPECT_EQ(range_text("15m"), "2026-11-25T13:23:00.000Z 2026-11-25T13:38:00.000Z");
  EXPECT_EQ(range_text("24h"), "2026-11-24T14:00:00.000Z 2026-11-25T14:00:00.000Z");
  EXPECT_EQ(range_text("7d"), "2026-11-19T00:00:00.000Z 2026-11-26T00:00:00.000Z");
  EXPECT_EQ(range_text("2w"), "2026-11-16T00:00:00.000Z 2026-11-30T00:00:00.000Z");
}

TEST(RelativeTimes, move_on_with_the_unit_s_begin) {
  EXPECT_EQ(range_text("1d", sys_days{2026y / November / 25}), "2026-11-25T00:00:00.000Z 2026-11-26T00:00:00.000Z");
  EXPECT_EQ(range_text("1d", sys_days{2026y / November / 25} - 1ms),
            "2026-11-24T00:00:00.000Z 2026-11-25T00:00:00.000Z");
  EXPECT_EQ(range_text("1w", sys_days{2026y / November / 23}), "2026-11-23T00:00:00.000Z 2026-11-30T00:00:00.000Z");
}

TEST(RelativeTimes, are_refused_where_they_are_none) {
  for (const char* span : {"7", "d", "0d", "-7d", "7y", "7dd", "7 d", "3661d", "99999999999999999999d"})
    EXPECT_TRUE(range_text(span).starts_with("last: ")) << span;
  EXPECT_EQ(range_of({.from = "2026-01-01", .to = {}, .last = "7d"}, kNow).error().message,
            "last: stands in the place of from and to");
}

TEST(RelativeTimes, leave_ends_that_are_given_as_they_are) {
  const auto range = range_of({.from = "2026-01-01", .to = {}, .last = {}}, kNow);
  ASSERT_TRUE(range);
  EXPECT_EQ(time_text(*range->from_ms), "2026-01-01T00:00:00.000Z");
  EXPECT_FALSE(range->to_ms);
}

}  // namespace
}  // namespace marquee::api
