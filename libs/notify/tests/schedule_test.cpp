#include "marquee/notify/schedule.h"

#include <date/tz.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <sstream>
#include <string>

namespace marquee::notify {
namespace {

WallTime at(const std::string& text) {
  std::istringstream in(text);
  WallTime time;
  in >> date::parse("%FT%TZ", time);
  EXPECT_FALSE(in.fail()) << text;
  return time;
}
std::string text(WallTime time) { return date::format("%FT%TZ", date::floor<std::chrono::seconds>(time)); }

Schedule read(const std::string& json) {
  const auto schedule = read_schedule(json);
  EXPECT_TRUE(schedule) << schedule.error().message;
  return schedule.value_or(Schedule{});
}

std::vector<std::string> next(const std::string& json, const std::string& after, int count) {
  const auto schedule = read(json);
  std::vector<std::string> times;
  auto time = at(after);
  for (int i = 0; i < count; ++i) times.push_back(text(time = next_due(schedule, time)));
  return times;
}

using Times = std::vector<std::string>;

TEST(Schedule, is_daily_at_the_local_time_of_a_zone_without_changes) {
  EXPECT_EQ(next(R"({"every":"day","at":"08:00","zone":"Asia/Kolkata"})", "2026-03-07T02:30:00Z", 2),
            (Times{"2026-03-08T02:30:00Z", "2026-03-09T02:30:00Z"}));
  EXPECT_EQ(next(R"({"every":"day","at":"00:15","zone":"Asia/Kolkata"})", "2026-03-07T18:44:59Z", 1),
            (Times{"2026-03-07T18:45:00Z"}));
}

TEST(Schedule, keeps_the_local_time_over_a_change_of_the_clock) {
  EXPECT_EQ(next(R"({"every":"day","at":"08:00","zone":"Europe/Berlin"})", "2026-03-27T12:00:00Z", 3),
            (Times{"2026-03-28T07:00:00Z", "2026-03-29T06:00:00Z", "2026-03-30T06:00:00Z"}));
  EXPECT_EQ(next(R"({"every":"day","at":"08:00","zone":"America/New_York"})", "2026-10-31T00:00:00Z", 3),
            (Times{"2026-10-31T12:00:00Z", "2026-11-01T13:00:00Z", "2026-11-02T13:00:00Z"}));
}

TEST(Schedule, is_due_when_the_clock_is_set_forward_where_that_skips_the_local_time) {
  // Berlin goes from 02:00 to 03:00 at 01:00Z, New York from 02:00 to 03:00 at 07:00Z.
  EXPECT_EQ(next(R"({"every":"day","at":"02:30","zone":"Europe/Berlin"})", "2026-03-28T12:00:00Z", 2),
            (Times{"2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}));
  EXPECT_EQ(next(R"({"every":"day","at":"02:30","zone":"America/New_York"})", "2026-03-07T12:00:00Z", 2),
            (Times{"2026-03-08T07:00:00Z", "2026-03-09T06:30:00Z"}));
}

TEST(Schedule, is_due_once_at_the_first_of_two_equal_local_times) {
  EXPECT_EQ(next(R"({"every":"day","at":"02:30","zone":"Europe/Berlin"})", "2026-10-24T12:00:00Z", 2),
            (Times{"2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}));
  EXPECT_EQ(next(R"({"every":"day","at":"01:30","zone":"America/New_York"})", "2026-10-31T12:00:00Z", 2),
            (Times{"2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"}));
}

TEST(Schedule, is_weekly_on_a_local_day) {
  // Monday 00:30 in Kolkata is Sunday in UTC.
  EXPECT_EQ(next(R"({"every":"week","on":"monday","at":"00:30","zone":"Asia/Kolkata"})", "2026-11-27T00:00:00Z", 2),
            (Times{"2026-11-29T19:00:00Z", "2026-12-06T19:00:00Z"}));
  EXPECT_EQ(next(R"({"every":"week","on":"sunday","at":"02:30","zone":"Europe/Berlin"})", "2026-03-23T00:00:00Z", 2),
            (Times{"2026-03-29T01:00:00Z", "2026-04-05T00:30:00Z"}));
}

TEST(Schedule, counts_hours_and_minutes_without_the_clock_s_changes) {
  EXPECT_EQ(next(R"({"every":"hour","minute":5,"zone":"Europe/Berlin"})", "2026-03-29T00:00:00Z", 3),
            (Times{"2026-03-29T00:05:00Z", "2026-03-29T01:05:00Z", "2026-03-29T02:05:00Z"}));
  EXPECT_EQ(next(R"({"every":"hour","minute":0,"zone":"Asia/Kolkata"})", "2026-03-29T00:00:00Z", 2),
            (Times{"2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"}));
  EXPECT_EQ(next(R"({"every":"minutes","minutes":20})", "2026-03-29T00:20:00Z", 2),
            (Times{"2026-03-29T00:40:00Z", "2026-03-29T01:00:00Z"}));
  // Lord Howe changes by half an hour: 02:00 (+10:30) becomes 02:30 (+11) at 15:30Z.
  EXPECT_EQ(next(R"({"every":"hour","minute":0,"zone":"Australia/Lord_Howe"})", "2026-10-03T14:00:00Z", 3),
            (Times{"2026-10-03T14:30:00Z", "2026-10-03T16:00:00Z", "2026-10-03T17:00:00Z"}));
}

TEST(Schedule, says_what_is_wrong) {
  for (const auto& [json, named] : std::vector<std::pair<std::string, std::string>>{
           {"[]", "object"},
           {R"({"every":"year"})", "every"},
           {R"({"every":"day"})", "at: missing"},
           {R"({"every":"week","at":"08:00"})", "on: missing"},
           {R"({"every":"day","at":"24:00"})", "at"},
           {R"({"every":"day","at":"8:00"})", "at"},
           {R"({"every":"day","at":"08:00","zone":"Mars/Olympus"})", "zone"},
           {R"({"every":"day","at":"08:00","zone":"../../etc/passwd"})", "zone"},
           {R"({"every":"day","at":"08:00","zone":""})", "zone"},
           {R"({"every":"day","at":"08:00","minutes":5})", "minutes"},
           {R"({"every":"minutes","minutes":0})", "minutes"},
           {R"({"every":"minutes","minutes":1.5})", "minutes"},
           {R"({"every":"hour","minute":60})", "minute"},
           {R"({"every":"week","at":"08:00","on":"Montag"})", "on"}}) {
    const auto schedule = read_schedule(json);
    ASSERT_FALSE(schedule) << json;
    EXPECT_EQ(schedule.error().action, Action::reject);
    EXPECT_TRUE(schedule.error().message.starts_with("schedule: ")) << schedule.error().message;
    EXPECT_NE(schedule.error().message.find(named), std::string::npos) << schedule.error().message;
  }
}

TEST(Schedule, is_written_as_it_is_read) {
  for (const std::string json :
       {R"({"every":"minutes","minutes":15})", R"({"every":"hour","minute":5,"zone":"UTC"})",
        R"({"every":"day","at":"08:05","zone":"Asia/Kolkata"})",
        R"({"every":"week","on":"sunday","at":"23:59","zone":"America/Argentina/Buenos_Aires"})"})
    EXPECT_EQ(write_schedule(read(json)), json);
}

TEST(Schedule, leaves_the_last_of_what_was_missed) {
  const auto daily = read(R"({"every":"day","at":"08:00","zone":"Europe/Berlin"})");
  EXPECT_EQ(text(*last_due(daily, at("2026-03-01T00:00:00Z"), at("2026-03-31T12:00:00Z"))), "2026-03-31T06:00:00Z");
  EXPECT_EQ(text(*last_due(daily, at("2026-03-31T05:59:59Z"), at("2026-03-31T06:00:00Z"))), "2026-03-31T06:00:00Z");
  EXPECT_FALSE(last_due(daily, at("2026-03-31T06:00:00Z"), at("2026-04-01T05:59:59Z")));
  const auto weekly = read(R"({"every":"week","on":"monday","at":"08:00","zone":"UTC"})");
  EXPECT_EQ(text(*last_due(weekly, at("2025-01-01T00:00:00Z"), at("2026-11-27T00:00:00Z"))), "2026-11-23T08:00:00Z");
  const auto minutely = read(R"({"every":"minutes","minutes":1})");
  EXPECT_EQ(text(*last_due(minutely, at("2020-01-01T00:00:00Z"), at("2026-11-27T10:00:30Z"))), "2026-11-27T10:00:00Z");
}

Schedule any_schedule() {
  using Every = Schedule::Every;
  return {.every = *rc::gen::element(Every::minutes, Every::hour, Every::day, Every::week),
          .minutes = *rc::gen::inRange(1U, 1441U),
          .minute = *rc::gen::inRange(0U, 60U),
          .hour = *rc::gen::inRange(0U, 24U),
          .weekday = *rc::gen::inRange(1U, 8U),
          .zone = *rc::gen::element<std::string>("Asia/Kolkata", "Europe/Berlin", "America/New_York", "UTC",
                                                 "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia")};
}
WallTime any_time() {
  return WallTime(Millis(*rc::gen::inRange<std::int64_t>(at("2020-01-01T00:00:00Z").time_since_epoch().count(),
                                                         at("2036-01-01T00:00:00Z").time_since_epoch().count())));
}

TEST(Schedule, is_next_due_strictly_later_at_the_local_time_or_where_the_clock_skips_it) {
  rc::check([] {
    const auto schedule = any_schedule();
    const auto after = any_time();
    const auto due = next_due(schedule, after);
    RC_ASSERT(due > after);
    const auto* zone = date::locate_zone(schedule.zone);
    const auto local = zone->to_local(due);
    const auto day = date::floor<date::days>(local);
    const auto time = date::hh_mm_ss<Millis>(local - day);
    switch (schedule.every) {
      case Schedule::Every::minutes:
        RC_ASSERT(due - after <= std::chrono::minutes(schedule.minutes));
        RC_ASSERT(due.time_since_epoch() % std::chrono::minutes(schedule.minutes) == Millis(0));
        return;
      case Schedule::Every::hour:
        RC_ASSERT(due - after <= std::chrono::minutes(90));
        RC_ASSERT(time.minutes().count() == static_cast<int>(schedule.minute));
        return;
      default:
        break;
    }
    const bool is_week = schedule.every == Schedule::Every::week;
    RC_ASSERT(due - after <= (is_week ? std::chrono::hours(7 * 24 + 1) : std::chrono::hours(25)));
    const auto wanted = std::chrono::hours(schedule.hour) + std::chrono::minutes(schedule.minute);
    const auto skipped = zone->get_info(day + wanted);
    if (skipped.result == date::local_info::nonexistent && skipped.first.end == due) return;
    RC_ASSERT(local - day == wanted);
    if (is_week) RC_ASSERT(date::weekday(day).iso_encoding() == schedule.weekday);
    // Of two equal local times the first.
    if (skipped.result == date::local_info::ambiguous) RC_ASSERT(zone->get_info(due).offset == skipped.first.offset);
  });
}

TEST(Schedule, has_one_due_time_on_each_local_day) {
  rc::check([] {
    auto schedule = any_schedule();
    schedule.every = Schedule::Every::day;
    const auto* zone = date::locate_zone(schedule.zone);
    auto due = next_due(schedule, any_time());
    for (int i = 0; i < 400; ++i) {
      const auto later = next_due(schedule, due);
      const auto days = date::floor<date::days>(zone->to_local(later)) - date::floor<date::days>(zone->to_local(due));
      RC_ASSERT(days == date::days(1));
      due = later;
    }
  });
}

TEST(Schedule, finds_the_last_due_time_as_going_through_all_does) {
  rc::check([] {
    auto schedule = any_schedule();
    schedule.minutes = std::max(schedule.minutes, 30U);
    const auto after = any_time();
    const auto until = after + Millis(*rc::gen::inRange<std::int64_t>(0, 40LL * 86'400'000));
    std::optional<WallTime> last;
    for (auto due = next_due(schedule, after); due <= until; due = next_due(schedule, due)) last = due;
    RC_ASSERT(last_due(schedule, after, until) == last);
  });
}

}  // namespace
}  // namespace marquee::notify
