#include "marquee/decision/account.h"

#include <gtest/gtest.h>

#include "marquee/base/zone.h"
#include "moments.h"
#include "random_catalog.h"

namespace marquee::decision {
namespace {

struct AccountFixture {
  explicit AccountFixture(Campaign given) : campaign(std::move(given)) {
    row.campaign = &campaign;
    row.zone = find_zone(campaign.zone);
    for (const auto& part : campaign.schedule) {
      row.schedule.push_back(0);
      row.schedule_zones.push_back(find_zone(part.zone));
    }
  }
  void impression(std::int64_t reserved, std::int64_t time) {
    account.count_impression(row.zone, reserved, time, cost_of_impression(campaign, campaign.bid_micros));
  }
  Campaign campaign;
  CampaignRow row;
  Account account{kReserve};
};

TEST(Account, ReservesNoMoreThanTheBudgetOfADay) {
  AccountFixture f({.daily = {.impressions = 10}, .pacing = Pacing::none});
  int taken = 0;
  for (int i = 0; i < 100; ++i) taken += f.account.reserve(f.row, kMidnight + i) ? 1 : 0;
  EXPECT_EQ(taken, 10);
  EXPECT_EQ(f.account.gate(f.row, kMidnight + 200), Because::budget);
}

TEST(Account, GivesBackWhatWasReservedAndNeverSeen) {
  AccountFixture f({.daily = {.impressions = 10}, .pacing = Pacing::none});
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(f.account.reserve(f.row, kMidnight));
  f.impression(kMidnight, kMidnight + 1'000);
  EXPECT_EQ(f.account.reserved(kMidnight + kReserve.count() - 1), 9U) << "an impression may come to the last moment";
  EXPECT_FALSE(f.account.reserve(f.row, kMidnight + kReserve.count() - 1));
  const auto later = kMidnight + kReserve.count() + kReserve.count() / 20;
  int taken = 0;
  for (int i = 0; i < 100; ++i) taken += f.account.reserve(f.row, later) ? 1 : 0;
  EXPECT_EQ(taken, 9);
}

TEST(Account, BeginsAnewWithTheDayOfItsZone) {
  AccountFixture f(
      {.daily = {.impressions = 1}, .total = {.impressions = 2}, .zone = "Asia/Kolkata", .pacing = Pacing::none});
  const auto midnight_there = kMidnight + kDay - 11 * kHour / 2;
  EXPECT_TRUE(f.account.reserve(f.row, midnight_there - 2));
  f.impression(midnight_there - 2, midnight_there - 1);
  EXPECT_EQ(f.account.gate(f.row, midnight_there - 1), Because::budget);
  EXPECT_TRUE(f.account.reserve(f.row, midnight_there));
  f.impression(midnight_there, midnight_there);
  EXPECT_EQ(f.account.gate(f.row, midnight_there + 3 * kDay), Because::budget) << "all of it is gone";
}

TEST(Account, SpendsNoMoreThanItHas) {
  // 3 a thousand, 0.01 a day: three impressions.
  AccountFixture f({.daily = {.spend_micros = 10'000}, .pacing = Pacing::none, .bid_micros = 3'000'000});
  int taken = 0;
  for (int i = 0; i < 10; ++i) taken += f.account.reserve(f.row, kMidnight) ? 1 : 0;
  EXPECT_EQ(taken, 3);
  AccountFixture clicks(
      {.daily = {.spend_micros = 10'000}, .pacing = Pacing::none, .price = Price::per_click, .bid_micros = 6'000});
  EXPECT_EQ(clicks.account.left_for(clicks.row, kMidnight, cost_of_click(clicks.campaign, clicks.campaign.bid_micros)),
            6'000'000);
  clicks.account.count_click(clicks.row.zone, kMidnight, 6'000'000);
  EXPECT_EQ(clicks.account.left_for(clicks.row, kMidnight, 6'000'000), 4'000'000) << "what is left is charged";
}

/// Traffic with a lull from 6 to 10 and three times as much in the evening, `view_rate` of which is seen.
Delivered day_of_traffic(AccountFixture& f, std::uint64_t seed, double view_rate,
                         std::vector<std::uint64_t>* by_hour = nullptr) {
  RandomCatalog random(seed);
  std::vector<std::pair<std::int64_t, std::int64_t>> coming;  // Impressions under way: when, of which reservation.
  for (std::int64_t time = kMidnight; time < kMidnight + kDay; time += 1'000) {
    std::erase_if(coming, [&](const auto& one) {
      if (one.first > time) return false;
      f.impression(one.second, time);
      return true;
    });
    const auto hour = (time - kMidnight) / kHour;
    const std::size_t requests = hour >= 6 && hour < 10 ? 0 : hour >= 18 ? 3 : 1;
    for (std::size_t i = 0; i < requests; ++i) {
      if (f.account.gate(f.row, time) != Because::chosen || !f.account.reserve(f.row, time)) continue;
      if (random.chance(view_rate)) coming.emplace_back(time + static_cast<std::int64_t>(random.below(5'000)), time);
    }
    if (by_hour != nullptr && (time + 1'000 - kMidnight) % kHour == 0)
      by_hour->push_back(f.account.state().day.impressions);
  }
  return f.account.state().day;
}

TEST(Account, SpreadsADaysBudgetEvenlyWithinTwoPercent) {
  const auto seed = test_seed();
  SCOPED_TRACE(testing::Message() << "MARQUEE_TEST_SEED=" << seed);
  AccountFixture f({.daily = {.impressions = 24'000}});
  std::vector<std::uint64_t> by_hour;
  const auto day = day_of_traffic(f, seed, 0.6, &by_hour);
  EXPECT_LE(day.impressions, 24'000U);
  EXPECT_GE(day.impressions, 24'000U * 98 / 100);
  EXPECT_NEAR(static_cast<double>(by_hour[4]), 5'000, 24'000 * 0.02);
  EXPECT_NEAR(static_cast<double>(by_hour[17]), 18'000, 24'000 * 0.02) << "what the lull left is made up";
}

TEST(Account, SpendsMoreAtFirstWhereItIsFrontLoaded) {
  AccountFixture f({.daily = {.impressions = 24'000}, .pacing = Pacing::front_loaded});
  std::vector<std::uint64_t> by_hour;
  const auto day = day_of_traffic(f, 1, 1, &by_hour);
  const double x = 5.0 / 24;
  EXPECT_NEAR(static_cast<double>(by_hour[4]), 24'000 * (1 - (1 - x) * (1 - x)), 24'000 * 0.02);
  EXPECT_GE(day.impressions, 24'000U * 98 / 100);
}

TEST(Account, PacesWithinTheHoursOfItsSchedule) {
  AccountFixture f({.schedule = {{.from_minute = 12 * 60, .to_minute = 18 * 60}}, .daily = {.impressions = 6'000}});
  std::vector<std::uint64_t> by_hour;
  for (std::int64_t time = kMidnight; time < kMidnight + kDay; time += 1'000) {
    if (is_in_schedule(f.row, time) && f.account.gate(f.row, time) == Because::chosen && f.account.reserve(f.row, time))
      f.impression(time, time);
    if ((time + 1'000 - kMidnight) % kHour == 0) by_hour.push_back(f.account.state().day.impressions);
  }
  EXPECT_EQ(by_hour[11], 0U);
  EXPECT_NEAR(static_cast<double>(by_hour[14]), 3'000, 60);
  EXPECT_NEAR(static_cast<double>(by_hour[17]), 6'000, 60);
}

TEST(Account, GoesOnWhereItWasAfterARestart) {
  AccountFixture before({.daily = {.impressions = 24'000}});
  for (std::int64_t time = kMidnight; time < kMidnight + 12 * kHour; time += 1'000)
    if (before.account.gate(before.row, time) == Because::chosen && before.account.reserve(before.row, time))
      before.impression(time, time);
  const auto noon = before.account.state().day.impressions;
  EXPECT_NEAR(static_cast<double>(noon), 12'000, 240);
  AccountFixture after({.daily = {.impressions = 24'000}});
  after.account.restore(before.account.state());
  std::uint64_t at_once = 0;
  for (int i = 0; i < 10'000; ++i)
    if (after.account.gate(after.row, kMidnight + 12 * kHour) == Because::chosen &&
        after.account.reserve(after.row, kMidnight + 12 * kHour))
      ++at_once;
  EXPECT_LE(at_once, 2U) << "it knows what it has delivered, and does not begin the day anew";
}

}  // namespace
}  // namespace marquee::decision
