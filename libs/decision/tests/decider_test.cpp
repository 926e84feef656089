#include "marquee/decision/decider.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "moments.h"
#include "random_catalog.h"

namespace marquee::decision {
namespace {

Campaign campaign(std::string id, std::size_t ads, Tier tier = Tier::standard) {
  Campaign one{.id = id, .status = Status::active, .tier = tier};
  for (std::size_t i = 0; i < ads; ++i) one.ads.push_back({.id = id + std::to_string(i)});
  return one;
}
const std::vector<Slot> kSlots = {{.id = "top"}, {.id = "side"}, {.id = "foot"}};

struct DeciderFixture {
  explicit DeciderFixture(std::vector<Campaign> campaigns) {
    decider.use(Inventory::compile(std::move(campaigns), kSlots));
  }
  Decision decide(std::vector<Placement> placements, std::uint64_t user = 0, std::int64_t time = kNow,
                  DecisionId id = make_decision_id()) {
    return decider.decide(
        {.id = id, .context = {.time_ms = time, .known = {}}, .user_key = user, .placements = std::move(placements)});
  }
  UniformRanker ranker;
  Decider decider{ranker, kReserve};
};

std::string ad_of(const Choice& choice) { return choice.ad == nullptr ? "" : choice.ad->ad->id; }

/// 99.9 % quantile of chi-square, by Wilson and Hilferty.
double chi_square_limit(std::size_t degrees) {
  const double d = static_cast<double>(degrees), a = 2 / (9 * d);
  return d * std::pow(1 - a + 3.09 * std::sqrt(a), 3);
}

TEST(Decider, NeverServesWhatIsNotEligibleAndSharesAllOfTheChance) {
  const auto seed = test_seed();
  SCOPED_TRACE(testing::Message() << "MARQUEE_TEST_SEED=" << seed);
  RandomCatalog random(seed);
  std::size_t served = 0;
  for (int round = 0; round < 100; ++round) {
    auto campaigns = random.campaigns(1 + random.below(40));
    for (auto& one : campaigns) one.share_of_voice = random.chance(0.2) ? 0.3 : 0;
    const auto slots = random.slots();
    UniformRanker ranker;
    Decider decider(ranker, kReserve);
    decider.use(Inventory::compile(campaigns, slots));
    for (int i = 0; i < 25; ++i) {
      const auto request = random.request(random.time());
      const auto decision = decider.decide(request);
      std::set<std::string> on_page;
      for (std::size_t k = 0; k < decision.choices.size(); ++k) {
        const auto& choice = decision.choices[k];
        const Oracle oracle(request, slots, k);
        double sum = 0;
        for (const auto& one : choice.candidates) {
          ASSERT_TRUE(oracle.is_eligible(*one.ad->campaign->campaign, *one.ad->ad)) << one.ad->ad->id;
          ASSERT_FALSE(on_page.contains(one.ad->ad->id));
          ASSERT_GT(one.propensity, 0);
          sum += one.propensity;
        }
        if (choice.ad == nullptr) {
          ASSERT_TRUE(choice.candidates.empty());
          continue;
        }
        ASSERT_NEAR(sum, 1, 1e-5);
        const auto drawn = std::ranges::find(choice.candidates, choice.ad, &Candidate::ad);
        ASSERT_NE(drawn, choice.candidates.end());
        ASSERT_EQ(drawn->propensity, choice.propensity);
        on_page.insert(ad_of(choice));
        ++served;
      }
    }
  }
  EXPECT_GT(served, 500U);
}

bool is_told_off(const Campaign& one, const Campaign& other) {
  return std::ranges::any_of(one.excludes, [&](const std::string& name) {
    return !name.empty() && (name == other.category || name == other.advertiser);
  });
}

/// Most ads ask nothing of a page and are not looked at one by one: those that do must be.
TEST(Decider, HasNoCandidateThatIsOnThePageCompetesWithItOrIsCapped) {
  const auto seed = test_seed();
  SCOPED_TRACE(testing::Message() << "MARQUEE_TEST_SEED=" << seed);
  RandomCatalog random(seed);
  std::size_t competing = 0, capped = 0, candidates = 0;
  for (int round = 0; round < 40; ++round) {
    std::vector<Campaign> campaigns;
    for (std::size_t i = 0; i < 20 + random.below(60); ++i) {
      auto one = campaign("c" + std::to_string(i) + "-", 1 + random.below(5));
      one.advertiser = "advertiser-" + std::to_string(random.below(8));
      one.category = "category-" + std::to_string(random.below(8));
      if (random.chance(0.1)) one.excludes = {"advertiser-" + std::to_string(random.below(8))};
      if (random.chance(0.3))
        one.caps = {{.scope = CapScope::campaign, .count = static_cast<std::uint32_t>(1 + random.below(3))}};
      if (random.chance(0.3)) one.daily.impressions = 1'000'000;
      one.pacing = Pacing::none;
      campaigns.push_back(std::move(one));
    }
    DeciderFixture f(campaigns);
    std::map<std::string, std::uint32_t> shown;
    for (int i = 0; i < 20; ++i) {
      const auto decision = f.decide({{.slot = "top"}, {.slot = "side"}, {.slot = "foot"}}, 7);
      std::vector<const AdRow*> on_page;
      for (const auto& choice : decision.choices) {
        for (const auto& one : choice.candidates) {
          const auto& its = *one.ad->campaign->campaign;
          ASSERT_EQ(std::ranges::find(on_page, one.ad), on_page.end());
          for (const auto* there : on_page) {
            const auto& other = *there->campaign->campaign;
            ASSERT_FALSE(&its != &other && (is_told_off(its, other) || is_told_off(other, its))) << one.ad->ad->id;
          }
          ASSERT_TRUE(its.caps.empty() || shown[its.id] < its.caps[0].count) << one.ad->ad->id;
        }
        std::size_t expected = 0;
        for (const auto& one : f.decider.inventory()->ads()) {
          const auto& its = *one.campaign->campaign;
          const bool is_there = std::ranges::find(on_page, &one) != on_page.end();
          const bool competes = std::ranges::any_of(on_page, [&](const AdRow* there) {
            const auto& other = *there->campaign->campaign;
            return &its != &other && (is_told_off(its, other) || is_told_off(other, its));
          });
          const bool is_capped = !its.caps.empty() && shown[its.id] >= its.caps[0].count;
          competing += competes ? 1 : 0;
          capped += is_capped ? 1 : 0;
          expected += is_there || competes || is_capped ? 0 : 1;
        }
        ASSERT_EQ(choice.candidates.size(), expected) << "all others are";
        candidates += expected;
        if (choice.ad == nullptr) continue;
        on_page.push_back(choice.ad);
        ++shown[choice.ad->campaign->campaign->id];
      }
    }
  }
  EXPECT_GT(competing, 1'000U);
  EXPECT_GT(capped, 1'000U);
  EXPECT_GT(candidates, 10'000U);
}

TEST(Decider, DecidesTheSameInMemoryThatAnotherDecisionHas) {
  DeciderFixture f({campaign("a", 40), campaign("b", 30)});
  std::mt19937_64 ids(1);
  for (int i = 0; i < 50; ++i) {
    const DecisionId id{.high = ids(), .low = ids()};
    auto first = f.decide({{.slot = "top"}, {.slot = "side"}}, 0, kNow, id);
    const auto kept = first;
    Decider::forget_candidates(first);
    EXPECT_TRUE(first.choices[0].candidates.empty());
    const auto second = f.decide({{.slot = "top"}, {.slot = "side"}}, 0, kNow, id);
    for (std::size_t k = 0; k < 2; ++k) {
      ASSERT_EQ(second.choices[k].ad, kept.choices[k].ad);
      ASSERT_EQ(second.choices[k].candidates.size(), 70 - k);
      for (std::size_t j = 0; j < second.choices[k].candidates.size(); ++j) {
        const auto &one = second.choices[k].candidates[j], &other = kept.choices[k].candidates[j];
        ASSERT_TRUE(one.ad == other.ad && one.row == other.row && one.score == other.score &&
                    one.value == other.value && one.propensity == other.propensity);
      }
    }
  }
}

TEST(Decider, DrawsAsOftenAsItSays) {
  auto sponsor = campaign("s", 2, Tier::sponsorship);
  sponsor.share_of_voice = 0.25;
  DeciderFixture f({sponsor, campaign("g", 3, Tier::guaranteed), campaign("h", 1, Tier::house)});
  constexpr int kRequests = 20'000;
  std::mt19937_64 ids(
      1);  // What is drawn follows from the id: the same in every run, so that this fails always or never.
  std::map<std::string, int> seen;
  std::map<std::string, double> expected;
  for (int i = 0; i < kRequests; ++i) {
    const auto decision = f.decide({{.slot = "top"}}, 0, kNow, {.high = ids(), .low = ids()});
    ++seen[ad_of(decision.choices[0])];
    for (const auto& one : decision.choices[0].candidates) expected[one.ad->ad->id] += one.propensity;
  }
  EXPECT_NEAR(expected["s0"] / kRequests, 0.125, 1e-6);
  EXPECT_NEAR(expected["g2"] / kRequests, 0.25, 1e-6) << "the next tier shares what the sponsor leaves";
  ASSERT_EQ(expected.size(), 5U) << "house ads wait";
  double chi_square = 0;
  for (const auto& [ad, often] : expected) chi_square += (seen[ad] - often) * (seen[ad] - often) / often;
  EXPECT_LT(chi_square, chi_square_limit(expected.size() - 1));
}

/// Gives the best of what is left, by values of ads and examinations of slots that it is told.
struct BestFirst final : Ranker {
  void rank(const Request&, const Placement&, const Inventory&, std::span<Candidate> candidates) const override {
    for (auto& one : candidates) {
      one.score = worth.at(one.ad->ad->id);
      one.propensity = 0;
    }
    std::ranges::max_element(candidates, {}, &Candidate::score)->propensity = 1;
  }
  [[nodiscard]] std::string_view policy() const override { return "best-first"; }
  [[nodiscard]] double examination(const Placement& placement, const Inventory&) const override {
    return examinations.at(std::string(placement.slot));
  }
  std::map<std::string, float> worth;
  std::map<std::string, double> examinations;
};

TEST(Decider, NoOtherSlateIsWorthMoreThanTheOneItChooses) {
  const auto seed = test_seed();
  SCOPED_TRACE(testing::Message() << "MARQUEE_TEST_SEED=" << seed);
  RandomCatalog random(seed);
  for (int round = 0; round < 100; ++round) {
    BestFirst ranker;
    std::vector<std::string> ads = {"a0", "a1", "a2", "a3", "a4"};
    for (const auto& ad : ads) ranker.worth[ad] = static_cast<float>(random.below(1'000));
    for (const auto& slot : kSlots) ranker.examinations[slot.id] = static_cast<double>(1 + random.below(1'000));
    Decider decider(ranker, kReserve);
    decider.use(Inventory::compile({campaign("a", ads.size())}, kSlots));
    Request request{.id = make_decision_id(), .context = {.time_ms = kNow, .known = {}}};
    for (const auto& slot : kSlots) request.placements.push_back({.slot = slot.id});
    const auto worth_of = [&](auto ad_at) {
      double sum = 0;
      for (std::size_t i = 0; i < kSlots.size(); ++i)
        sum += ranker.examinations[kSlots[i].id] * static_cast<double>(ranker.worth[ad_at(i)]);
      return sum;
    };
    const auto choices = decider.decide(request).choices;
    const double chosen = worth_of([&](std::size_t i) { return ad_of(choices[i]); });
    std::set<int> turns;
    for (const auto& one : choices) turns.insert(one.turn);
    EXPECT_EQ(turns, (std::set{1, 2, 3}));
    do {
      EXPECT_GE(chosen, worth_of([&](std::size_t i) { return ads[i]; }));
    } while (std::ranges::next_permutation(ads).found);
  }
}

TEST(Decider, GivesAllToAShareOfVoiceWhereNobodyElseIs) {
  auto sponsor = campaign("s", 1, Tier::sponsorship);
  sponsor.share_of_voice = 0.1;
  DeciderFixture f({sponsor});
  const auto decision = f.decide({{.slot = "top"}});
  EXPECT_EQ(ad_of(decision.choices[0]), "s0");
  EXPECT_FLOAT_EQ(decision.choices[0].propensity, 1);
}

TEST(Decider, ChoosesTheSameAgainForTheSameId) {
  const Request request{.id = {1, 2}, .context = {.time_ms = kNow, .known = {}}, .placements = {{.slot = "top"}}};
  DeciderFixture f({campaign("a", 50)}), g({campaign("a", 50)});
  EXPECT_EQ(ad_of(f.decider.decide(request).choices[0]), ad_of(g.decider.decide(request).choices[0]));
}

TEST(Decider, RepeatsNothingOnAPageAndSaysWhatRanOut) {
  DeciderFixture f({campaign("a", 2)});
  const auto decision = f.decide({{.slot = "top"}, {.slot = "side"}, {.slot = "foot"}, {.slot = "none"}});
  EXPECT_NE(ad_of(decision.choices[0]), ad_of(decision.choices[1]));
  EXPECT_EQ(decision.choices[1].propensity, 1);
  EXPECT_EQ(decision.choices[2].because, Because::no_candidate);
  EXPECT_EQ(decision.choices[3].because, Because::unknown_slot);
}

TEST(Decider, KeepsCompetitorsOffAPage) {
  auto cola = campaign("cola", 3);
  cola.category = "drinks";
  auto pop = campaign("pop", 3);
  pop.category = "drinks";
  pop.excludes = {"drinks"};
  auto loan = campaign("loan", 1);
  loan.excludes = {"bank"};
  DeciderFixture f({cola, pop, loan});
  for (int i = 0; i < 200; ++i) {
    std::set<std::string> on_page;
    for (const auto& choice : f.decide({{.slot = "top"}, {.slot = "side"}, {.slot = "foot"}}).choices)
      on_page.insert(choice.ad->campaign->campaign->id);
    EXPECT_FALSE(on_page.contains("cola") && on_page.contains("pop"));
  }
  auto request = Request{.id = {1, 2}, .context = {.time_ms = kNow, .known = {}}, .placements = {{.slot = "top"}}};
  request.blocked_advertisers = {"bank"};
  const auto decision = f.decider.decide(request);
  ASSERT_EQ(decision.choices[0].candidates.size(), 6U);
  for (const auto& one : decision.choices[0].candidates) EXPECT_NE(one.ad->campaign->campaign->id, "loan");
}

TEST(Decider, FillsAPageWithARoadblockOrWithNoneOfIt) {
  auto road = campaign("r", 3);
  road.is_roadblock = true;
  DeciderFixture f({road, campaign("a", 5)});
  std::map<std::size_t, int> of_it;
  for (int i = 0; i < 500; ++i) {
    std::set<std::string> ads;
    std::size_t count = 0;
    for (const auto& choice : f.decide({{.slot = "top"}, {.slot = "side"}, {.slot = "foot"}}).choices) {
      count += choice.ad->campaign->campaign->id == "r" ? 1 : 0;
      ads.insert(ad_of(choice));
      EXPECT_EQ(choice.is_bound, choice.ad->campaign->campaign->id == "r" && count > 1);
    }
    EXPECT_EQ(ads.size(), 3U);
    ++of_it[count];
  }
  EXPECT_EQ(of_it.size(), 2U);
  EXPECT_NEAR(of_it[3], 500 * 3 / 8, 90);
  EXPECT_EQ(of_it[0] + of_it[3], 500);
  const auto four = f.decide({{.slot = "top"}, {.slot = "side"}, {.slot = "foot"}, {.slot = "top"}});
  for (const auto& choice : four.choices) EXPECT_NE(choice.ad->campaign->campaign->id, "r") << "it has three ads";
}

TEST(Decider, ServesCompanionsTogetherOrNotAtAll) {
  auto pair = campaign("p", 3);
  pair.companions = {"p0", "p2"};
  pair.ads[0].creative = {.kind = Creative::Kind::image};
  DeciderFixture f({pair, campaign("a", 5)});
  int together = 0;
  for (int i = 0; i < 500; ++i) {
    std::set<std::string> ads;
    for (const auto& choice : f.decide({{.slot = "top"}, {.slot = "side"}}).choices) ads.insert(ad_of(choice));
    EXPECT_EQ(ads.contains("p0"), ads.contains("p2"));
    together += ads.contains("p0") ? 1 : 0;
  }
  EXPECT_GT(together, 50);
  const auto alone = f.decide({{.slot = "top"}});
  ASSERT_EQ(alone.choices[0].candidates.size(), 6U);
  for (const auto& one : alone.choices[0].candidates) EXPECT_TRUE(one.ad->ad->id != "p0" && one.ad->ad->id != "p2");
}

TEST(Decider, HoldsCapsOfAUserAndKnowsNoneOfNobody) {
  auto capped = campaign("a", 2);
  capped.caps = {{.scope = CapScope::campaign, .count = 2, .window_ms = 60'000}};
  DeciderFixture f({capped, campaign("h", 1, Tier::house)});
  std::map<std::string, int> seen;
  for (int i = 0; i < 20; ++i) ++seen[f.decide({{.slot = "top"}}, 7, kNow + i).choices[0].ad->campaign->campaign->id];
  EXPECT_EQ(seen["a"], 2);
  EXPECT_EQ(seen["h"], 18);
  EXPECT_EQ(f.decide({{.slot = "top"}}, 7, kNow + 60'000).choices[0].ad->campaign->campaign->id, "a");
  const auto page = f.decide({{.slot = "top"}, {.slot = "side"}, {.slot = "foot"}}, 8);
  int of_it = 0;
  for (const auto& choice : page.choices)
    of_it += choice.ad != nullptr && choice.ad->campaign->campaign->id == "a" ? 1 : 0;
  EXPECT_EQ(of_it, 2) << "on one page, too";
  for (int i = 0; i < 20; ++i) EXPECT_EQ(f.decide({{.slot = "top"}}).choices[0].ad->campaign->campaign->id, "a");
  int users = 0;
  f.decider.caps().for_each([&](std::uint64_t, std::span<const Stamp>) { ++users; });
  EXPECT_EQ(users, 0) << "reserved only";
}

TEST(Decider, NeverReservesBeyondABudgetOnManyThreads) {
  auto rich = campaign("a", 20);
  rich.daily.impressions = 1'000;
  rich.pacing = Pacing::none;
  DeciderFixture f({rich, campaign("h", 1, Tier::house)});
  std::atomic<int> served = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < 500; ++k)
        for (const auto& choice : f.decide({{.slot = "top"}, {.slot = "side"}}).choices)
          served += choice.ad != nullptr && choice.ad->campaign->campaign->id == "a" ? 1 : 0;
    });
  threads.clear();
  EXPECT_EQ(served, 1'000);
}

TEST(Decider, TakesBackWhatItReserved) {
  auto one = campaign("a", 1);
  one.daily.impressions = 1;
  one.pacing = Pacing::none;
  one.caps = {{.scope = CapScope::ad, .count = 1, .window_ms = 60'000}};
  DeciderFixture f({one});
  for (int i = 0; i < 3; ++i) {
    const auto decision = f.decide({{.slot = "top"}}, 7);
    EXPECT_EQ(ad_of(decision.choices[0]), "a0");
    f.decider.withdraw(decision);
  }
}

TEST(Decider, SaysWhyTheOthersAreNone) {
  auto student = campaign("student", 1);
  student.targeting = {.kind = Targeting::Kind::is_in, .field = Field::college, .values = {"x"}};
  auto poor = campaign("poor", 1);
  poor.bid_micros = 1;
  auto broke = campaign("broke", 1);
  broke.bid_micros = 10'000;
  broke.daily.spend_micros = 1;
  auto fine = campaign("fine", 1);
  fine.bid_micros = 10'000;
  DeciderFixture f({student, poor, broke, fine, campaign("house", 1, Tier::house)});
  const auto decision = f.decider.decide({.id = {1, 2},
                                          .context = {.time_ms = kNow, .known = {}},
                                          .placements = {{.slot = "top"}},
                                          .floor_micros = 1'000,
                                          .wants_reasons = true});
  std::map<std::string, std::string> why;
  for (const auto& [ad, because] : decision.choices[0].excluded) why[ad->campaign->campaign->id] = name(because);
  EXPECT_EQ(why, (std::map<std::string, std::string>{
                     {"student", "targeting"}, {"poor", "floor"}, {"broke", "budget"}, {"house", "lower_tier"}}));
}

TEST(Decider, AnswersWithNothingBeforeItHasAnInventory) {
  UniformRanker ranker;
  Decider decider(ranker, kReserve);
  const auto decision = decider.decide({.id = {1, 2}, .placements = {{.slot = "top"}}});
  EXPECT_EQ(decision.choices[0].because, Because::no_candidate);
}

}  // namespace
}  // namespace marquee::decision
