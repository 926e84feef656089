#include "marquee/serving/learned_ranker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "marquee/learning/learner.h"
#include "model_features.h"

namespace marquee::serving {
namespace {

std::shared_ptr<const decision::Inventory> inventory_of(std::size_t ads) {
  decision::Campaign campaign{.id = "c", .status = decision::Status::active, .tier = decision::Tier::standard};
  for (std::size_t i = 0; i < ads; ++i) campaign.ads.push_back({.id = "c" + std::to_string(i)});
  return decision::Inventory::compile({campaign}, {{.id = "top"}}, {.version = 1});
}

std::vector<decision::Candidate> candidates_of(const decision::Inventory& inventory) {
  std::vector<decision::Candidate> all(inventory.ads().size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].ad = &inventory.ads()[i];
    all[i].row = inventory.ads()[i].row;
  }
  return all;
}

TEST(LearnedRanker, names_the_version_that_ranks_and_gives_every_candidate_its_part_of_the_uniform_share) {
  constexpr std::size_t kAds = 60;
  constexpr double kUniform = 0.05;
  LearnedRanker ranker(decision::Auction::none, {.uniform_share = kUniform});
  const auto inventory = inventory_of(kAds), other = inventory_of(2);
  EXPECT_EQ(ranker.current(*inventory)->policy(), "uniform-1") << "nothing is published yet";

  learning::Learner learner(ranker.features(), {.slots_log2 = 12, .ftrl = {}, .priors = {}});
  std::vector<learning::Ad> ads;
  for (const auto& row : inventory->ads()) ads.push_back(model_ad("campus", row));
  const auto table = std::make_shared<const learning::AdTable>(ranker.features(), ads);
  const auto none = std::make_shared<const std::vector<learning::Row>>();
  for (int i = 0; i < 600; ++i) {
    const auto ad = static_cast<std::size_t>(i) % kAds;
    static_cast<void>(learner.learn({.rows = none, .ad = table->ad(ad), .position = 0, .time_s = 0}, ad == 7 ? 1 : 0));
  }
  ranker.use({{inventory, *learning::Scorer::bind(learner.model(), table)}}, 3);

  const auto version = ranker.current(*inventory);
  EXPECT_EQ(version->policy(), "learned-3");
  EXPECT_EQ(ranker.current(*other)->policy(), "uniform-1") << "nothing is published for it";
  auto candidates = candidates_of(*inventory);
  decision::Request request;
  request.placements.push_back({.slot = "top"});
  version->rank(request, request.placements[0], *inventory, candidates);
  double sum = 0;
  for (const auto& one : candidates) {
    sum += one.propensity;
    EXPECT_GE(one.propensity, kUniform / kAds * 0.9999);
  }
  EXPECT_NEAR(sum, 1, 1e-5);
  const auto best = std::ranges::max_element(candidates, {}, &decision::Candidate::propensity);
  EXPECT_EQ(best - candidates.begin(), 7);

  ranker.use({}, 4);
  EXPECT_EQ(version->policy(), "learned-3") << "who has begun with a version keeps it";
  EXPECT_EQ(ranker.current(*inventory)->policy(), "uniform-1");
}

}  // namespace
}  // namespace marquee::serving
