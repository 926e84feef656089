#include "marquee/decision/inventory.h"

#include <gtest/gtest.h>

#include <set>

#include "day_part_rule.h"
#include "marquee/base/zone.h"
#include "random_catalog.h"
#include "targeting_rule.h"

namespace marquee::decision {
namespace {

std::set<std::string> found(const Inventory& inventory, const Inventory::Eligible& eligible, std::size_t placement) {
  std::set<std::string> ids;
  for (auto row = eligible.next(placement, 0); row < inventory.ads().size(); row = eligible.next(placement, row + 1))
    ids.insert(inventory.ads()[row].ad->id);
  return ids;
}

TEST(Inventory, FindsExactlyWhatIsEligibleInRandomCatalogs) {
  const auto seed = test_seed();
  SCOPED_TRACE(testing::Message() << "MARQUEE_TEST_SEED=" << seed);
  RandomCatalog random(seed);
  Inventory::Eligible eligible;
  std::size_t ads = 0, many_clauses = 0;
  for (int round = 0; round < 150; ++round) {
    const auto campaigns = random.campaigns(1 + random.below(40));
    const auto slots = random.slots();
    for (const auto& one : campaigns) many_clauses += clauses_of(one.targeting, 64) ? 0 : 1;
    const auto inventory = Inventory::compile(campaigns, slots);
    ASSERT_TRUE(inventory->problems().empty());
    for (int i = 0; i < 25; ++i) {
      const auto request = random.request(random.time());
      inventory->find_eligible(request, eligible);
      for (std::size_t placement = 0; placement < request.placements.size(); ++placement) {
        const Oracle oracle(request, slots, placement);
        std::set<std::string> expected;
        for (const auto& campaign : campaigns)
          for (const auto& ad : campaign.ads)
            if (oracle.is_eligible(campaign, ad)) expected.insert(ad.id);
        ASSERT_EQ(found(*inventory, eligible, placement), expected);
        ads += expected.size();
        for (const auto& row : inventory->ads())
          ASSERT_EQ(inventory->why_not(request, request.placements[placement], row) == Because::chosen,
                    expected.contains(row.ad->id))
              << row.ad->id;
      }
    }
  }
  // Or the test has looked at nothing.
  EXPECT_GT(ads, 1'000U);
  EXPECT_GT(many_clauses, 5U);
}

TEST(Inventory, LeavesOutACampaignWhoseZoneDoesNotExistAndNamesIt) {
  std::vector<Campaign> campaigns(2);
  campaigns[0] = {
      .id = "lost", .status = Status::active, .schedule = {{.zone = "Europe/Atlantis"}}, .ads = {{.id = "1"}}};
  campaigns[1] = {.id = "found", .status = Status::active, .ads = {{.id = "2"}}};
  const auto inventory = Inventory::compile(campaigns, {});
  ASSERT_EQ(inventory->problems().size(), 1U);
  EXPECT_NE(inventory->problems()[0].find("lost"), std::string::npos);
  ASSERT_EQ(inventory->ads().size(), 1U);
  EXPECT_EQ(inventory->find_row("2"), &inventory->ads()[0]);
  EXPECT_NE(inventory->find_ad("1"), nullptr) << "a click on it still leads somewhere";
}

TEST(DayPart, KeepsToTheClockOfItsZoneWhenSummerTimeBegins) {
  const auto& berlin = *find_zone("Europe/Berlin");
  const DayPart early{.from_minute = 120, .to_minute = 240, .zone = "Europe/Berlin"};  // 02:00 to 04:00
  const std::int64_t at_1 = 1'774'746'000'000 - 3'600'000;  // 2026-03-29T00:00Z is 01:00; at 01:00Z it is 03:00.
  EXPECT_FALSE(is_within(early, berlin, at_1 + 3'599'999));
  EXPECT_TRUE(is_within(early, berlin, at_1 + 3'600'000)) << "03:00, as 02:00 does not exist";
  EXPECT_FALSE(is_within(early, berlin, at_1 + 2 * 3'600'000)) << "04:00";
  const auto day = day_of(berlin, at_1);
  EXPECT_EQ(day.end_ms - day.begin_ms, 23 * 3'600'000);
}

TEST(DayPart, OverMidnightBelongsToTheDayOnWhichItBegins) {
  const auto& utc = *find_zone("UTC");
  const DayPart night{.days = 1 << 4, .from_minute = 22 * 60, .to_minute = 2 * 60};  // Of Friday.
  const std::int64_t friday = 1'795'737'600'000;                                     // 2026-11-27T00:00Z
  EXPECT_TRUE(is_within(night, utc, friday + 23 * 3'600'000));
  EXPECT_TRUE(is_within(night, utc, friday + 25 * 3'600'000));
  EXPECT_FALSE(is_within(night, utc, friday + 26 * 3'600'000));
  EXPECT_FALSE(is_within(night, utc, friday + 1 * 3'600'000)) << "that night began on Thursday";
}

TEST(SearchTerms, AreLowerCaseWords) {
  EXPECT_EQ(search_terms("  Machine-Learning (2nd ÜBUNG)"),
            (std::vector<std::string>{"machine", "learning", "2nd", "Übung"}));
  EXPECT_TRUE(search_terms("?!").empty());
}

}  // namespace
}  // namespace marquee::decision
