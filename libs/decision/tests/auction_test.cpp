#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "marquee/decision/decider.h"
#include "moments.h"
#include "random_catalog.h"

namespace marquee::decision {
namespace {

constexpr double kPriorCtr = 0.01;

/// Each ad's quality, in sixteenths, is told by its id; values are whole numbers, so that nothing is rounded.
int quality(const Ad& ad) { return 1 + static_cast<int>(std::hash<std::string>()(ad.id) % 16); }

/// Most to the greatest value, some to each.
class ByValue final : public Ranker {
 public:
  explicit ByValue(Auction auction) : auction_(auction) {}
  void rank(const Request&, const Placement&, const Inventory&, std::span<Candidate> candidates) const override {
    const bool is_auction = is_auctioned(*candidates.front().ad->campaign->campaign);
    for (auto& one : candidates) {
      one.score = 1;
      one.value = is_auction ? static_cast<float>(one.ad->campaign->campaign->bid_micros * quality(*one.ad->ad)) : 0;
      one.propensity = 0.5F / static_cast<float>(candidates.size());
    }
    std::ranges::max_element(candidates, {}, &Candidate::value)->propensity += 0.5F;
  }
  [[nodiscard]] std::string_view policy() const override { return "by-value"; }
  [[nodiscard]] Auction auction() const override { return auction_; }

 private:
  Auction auction_;
};

/// How many candidates of other campaigns would stand before the ad if its campaign's bid were `bid`.
std::size_t before(const Choice& choice, std::int64_t bid) {
  const auto value = static_cast<float>(bid * quality(*choice.ad->ad));
  return static_cast<std::size_t>(std::ranges::count_if(choice.candidates, [&](const Candidate& one) {
    return one.ad->campaign != choice.ad->campaign && one.value > value;
  }));
}

/// Tried bid by bid.
std::int64_t least_bid(const Choice& choice, std::int64_t floor_micros) {
  const auto& campaign = *choice.ad->campaign->campaign;
  const auto keeps_floor = [&](std::int64_t bid) {
    const double ecpm = static_cast<double>(bid) * (campaign.price == Price::per_click ? 1'000 * kPriorCtr : 1);
    return ecpm >= static_cast<double>(floor_micros);
  };
  for (std::int64_t bid = 0; bid < campaign.bid_micros; ++bid)
    if (keeps_floor(bid) && before(choice, bid) == before(choice, campaign.bid_micros)) return bid;
  return campaign.bid_micros;
}

class AuctionTest : public ::testing::Test {
 protected:
  /// Standard tier, some with shares of voice, both prices, a floor.
  std::vector<Campaign> campaigns(std::size_t count) {
    std::vector<Campaign> all;
    for (std::size_t i = 0; i < count; ++i) {
      Campaign one{.id = "c" + std::to_string(i), .status = Status::active};
      one.tier = random.chance(0.1) ? Tier::house : Tier::standard;
      one.price = random.chance(0.5) ? Price::per_mille : Price::per_click;
      one.bid_micros = static_cast<std::int64_t>(random.below(300));
      one.share_of_voice = random.chance(0.1) ? 0.1 : 0;
      one.is_roadblock = random.chance(0.1);
      for (std::size_t ad = 0; ad < 1 + random.below(4); ++ad)
        one.ads.push_back({.id = one.id + "-" + std::to_string(ad)});
      all.push_back(one);
    }
    return all;
  }
  static Request request() {
    return {.id = make_decision_id(),
            .context = {.time_ms = kNow, .known = {}},
            .placements = {{.slot = "top"}, {.slot = "side"}}};
  }

  const std::uint64_t seed = test_seed();
  testing::ScopedTrace trace{__FILE__, __LINE__, testing::Message() << "MARQUEE_TEST_SEED=" << seed};
  RandomCatalog random{seed};
  const std::vector<Slot> slots = {{.id = "top", .floor_micros = 40}, {.id = "side"}};
};

TEST_F(AuctionTest, charges_the_least_bid_with_which_the_ad_would_have_stood_where_it_did) {
  ByValue ranker(Auction::second_price);
  std::size_t below_bid = 0, at_floor = 0, explored = 0;
  for (int round = 0; round < 300; ++round) {
    Decider decider(ranker, Millis(300'000));
    decider.use(Inventory::compile(campaigns(1 + random.below(12)), slots, {.version = 1, .prior_ctr = kPriorCtr}));
    for (int i = 0; i < 20; ++i) {
      auto asked = request();
      asked.floor_micros = random.chance(0.3) ? 60 : 0;
      const auto decision = decider.decide(asked);
      for (std::size_t k = 0; k < decision.choices.size(); ++k) {
        const auto& choice = decision.choices[k];
        if (choice.ad == nullptr) continue;
        const auto& campaign = *choice.ad->campaign->campaign;
        const auto floor = campaign.tier == Tier::house ? 0 : std::max(slots[k].floor_micros, asked.floor_micros);
        ASSERT_LE(choice.price_micros, campaign.bid_micros);
        if (campaign.price == Price::per_mille) {
          ASSERT_GE(choice.price_micros, floor) << campaign.id;
        }
        if (choice.is_bound) continue;
        const auto drawn = std::ranges::find(choice.candidates, choice.ad, &Candidate::ad);
        if (drawn->value == 0) {
          ASSERT_EQ(choice.price_micros, campaign.bid_micros) << "not auctioned";
          continue;
        }
        // A price per click may lie a micro above what keeps the floor: its eCPM was rounded.
        const auto least = least_bid(choice, floor);
        ASSERT_GE(choice.price_micros, least - 1);
        ASSERT_LE(choice.price_micros, least + 1);
        ASSERT_EQ(before(choice, choice.price_micros), before(choice, campaign.bid_micros));
        below_bid += choice.price_micros < campaign.bid_micros ? 1 : 0;
        at_floor += floor > 0 && choice.price_micros == floor ? 1 : 0;
        explored += before(choice, campaign.bid_micros) > 0 ? 1 : 0;
      }
    }
  }
  // All of it came to pass.
  EXPECT_GT(below_bid, 100U);
  EXPECT_GT(at_floor, 10U);
  EXPECT_GT(explored, 100U);
}

TEST_F(AuctionTest, charges_the_bid_at_first_price_and_without_an_auction) {
  for (const auto auction : {Auction::none, Auction::first_price}) {
    ByValue ranker(auction);
    Decider decider(ranker, Millis(300'000));
    decider.use(Inventory::compile(campaigns(10), {{.id = "top"}, {.id = "side"}}));
    for (int i = 0; i < 50; ++i)
      for (const auto& choice : decider.decide(request()).choices)
        EXPECT_EQ(choice.price_micros, choice.ad == nullptr ? 0 : choice.ad->campaign->campaign->bid_micros);
  }
}

TEST_F(AuctionTest, a_runner_up_sets_the_price_and_ads_of_the_same_campaign_do_not) {
  ByValue ranker(Auction::second_price);
  Decider decider(ranker, Millis(300'000));
  Campaign rich{.id = "rich", .status = Status::active}, poor{.id = "poor", .status = Status::active};
  rich.bid_micros = 300;
  poor.bid_micros = 200;
  rich.ads = {{.id = "r0"}, {.id = "r1"}};
  poor.ads = {{.id = "p"}};
  decider.use(Inventory::compile({rich, poor}, {{.id = "top"}, {.id = "side"}}));
  const std::map<std::string, int> of = {
      {"r0", quality({.id = "r0"})}, {"r1", quality({.id = "r1"})}, {"p", quality({.id = "p"})}};
  std::map<std::string, std::int64_t> paid;
  for (int i = 0; i < 100; ++i) {
    const auto choice = decider.decide(request()).choices[0];
    paid[choice.ad->ad->id] = choice.price_micros;
  }
  ASSERT_EQ(paid.size(), 3U);
  for (const std::string ad : {"r0", "r1"}) {
    const auto mine = 300 * of.at(ad), other = 200 * of.at("p");
    const auto enough = (other + of.at(ad) - 1) / of.at(ad);
    EXPECT_EQ(paid[ad], mine >= other ? enough : 0) << ad;
  }
}

}  // namespace
}  // namespace marquee::decision
