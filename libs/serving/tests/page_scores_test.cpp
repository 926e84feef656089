#include "page_scores.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>

#include "marquee/learning/learner.h"
#include "model_features.h"

namespace marquee::serving {
namespace {

constexpr std::uint64_t kPageSeed = 20'261'127;
constexpr std::size_t kPageAds = 300;

class PageScoresTest : public ::testing::Test {
 protected:
  PageScoresTest() {
    std::vector<learning::Ad> ads;
    for (std::size_t i = 0; i < kPageAds; ++i)
      ads.push_back({.id = "ad-" + std::to_string(i),
                     .site = "campus",
                     .campaign = "campaign-" + std::to_string(i / 5),
                     .category = "category-" + std::to_string(i % 7),
                     .advertiser = "advertiser-" + std::to_string(i / 20),
                     .attributes = {}});
    table = std::make_shared<const learning::AdTable>(spec, ads);
  }

  std::size_t below(std::size_t n) { return random() % n; }

  /// Who asks, not yet for which placement.
  void ask() {
    user = {"college-" + std::to_string(below(5)), "page-" + std::to_string(below(3)),
            "word-" + std::to_string(below(9))};
  }
  void ask_for(std::string_view slot) {
    features.clear();
    features.add("college", user[0]);
    features.add("page", user[1]);
    features.add("search_term", user[2]);
    describe_place(features, 0, slot);
    features.compile_apart(kPlacementFeature);
  }

  std::shared_ptr<const learning::Scorer> taught() {
    learning::Learner learner(spec, {.slots_log2 = 16, .ftrl = {}, .priors = {}});
    for (int i = 0; i < 3'000; ++i) {
      ask();
      ask_for("slot-" + std::to_string(below(4)));
      auto rows = std::make_shared<std::vector<learning::Row>>(features.rows().begin(), features.rows().end());
      rows->insert(rows->end(), features.rows_apart().begin(), features.rows_apart().end());
      static_cast<void>(learner.learn({.rows = rows, .ad = table->ad(below(kPageAds)), .position = 0, .time_s = 0},
                                      below(4) == 0 ? 1 : 0));
    }
    return *learning::Scorer::bind(learner.model(), table);
  }

  std::vector<std::uint32_t> some_ads() {
    std::vector<std::uint32_t> some;
    const auto one_in = 1 + below(20);
    for (std::uint32_t i = 0; i < kPageAds; ++i)
      if (below(one_in) == 0) some.push_back(i);
    return some;
  }

  std::mt19937_64 random{kPageSeed};
  learning::FeatureSpec spec = *learning::FeatureSpec::parse(model_feature_options());
  std::shared_ptr<const learning::AdTable> table;
  learning::RequestFeatures features{spec};
  std::array<std::string, 3> user;
};

TEST_F(PageScoresTest, are_the_bits_that_each_placement_scored_by_itself_has) {
  const std::array scorers = {taught(), taught()};
  PageScores scores;
  learning::Scorer::Scratch scratch;
  std::size_t told_apart = 0;
  for (int page = 0; page < 200; ++page) {
    ask();
    const auto& scorer = scorers[below(scorers.size())];
    std::vector<float> first;
    for (int slot = 0; slot < 4; ++slot) {
      ask_for("slot-" + std::to_string(slot));
      const auto candidates = some_ads();
      std::vector<float> attraction(candidates.size()), alone(candidates.size());
      scores.score(scorer, features, candidates, attraction);
      scorer->score(features, candidates, alone, scratch);
      ASSERT_EQ(attraction, alone) << "seed " << kPageSeed << ", page " << page << ", slot " << slot;
      for (std::size_t i = 0; i < candidates.size(); ++i) {
        const std::array one = {candidates[i]};
        std::array<float, 1> by_itself{};
        scorer->score(features, one, by_itself, scratch);
        ASSERT_EQ(attraction[i], by_itself[0]) << "it does not hang on who else is there";
        first.resize(kPageAds);
        if (slot == 0) first[candidates[i]] = attraction[i];
        told_apart += slot > 0 && first[candidates[i]] != 0 && first[candidates[i]] != attraction[i] ? 1 : 0;
      }
    }
  }
  EXPECT_GT(told_apart, 1'000U) << "or placements would not matter, and any sums would do";
}

TEST_F(PageScoresTest, are_the_same_bits_where_each_placement_has_the_candidates_of_the_one_before_without_some) {
  const auto scorer = taught();
  PageScores scores;
  learning::Scorer::Scratch scratch;
  for (int page = 0; page < 100; ++page) {
    ask();
    auto candidates = some_ads();
    for (int slot = 0; slot < 6; ++slot) {
      ask_for("slot-" + std::to_string(slot));
      std::vector<float> attraction(candidates.size()), alone(candidates.size()), spread(candidates.size());
      scores.score(scorer, features, candidates, attraction);
      scorer->score(features, candidates, alone, scratch);
      scorer->rate_spread(candidates, spread);
      ASSERT_EQ(attraction, alone) << "seed " << kPageSeed << ", page " << page << ", slot " << slot;
      ASSERT_TRUE(std::ranges::equal(scores.spread(), spread)) << "seed " << kPageSeed << ", page " << page;
      if (slot == 3 && below(2) == 0)
        candidates = some_ads();  // And some that were not there.
      else
        for (auto gone = below(4); gone > 0 && !candidates.empty(); --gone)
          candidates.erase(candidates.begin() + static_cast<std::ptrdiff_t>(below(candidates.size())));
    }
  }
}

TEST_F(PageScoresTest, agree_with_what_the_model_predicts) {
  const auto scorer = taught();
  PageScores scores;
  for (int page = 0; page < 50; ++page) {
    ask();
    ask_for("slot-" + std::to_string(below(4)));
    const auto candidates = some_ads();
    std::vector<float> attraction(candidates.size());
    scores.score(scorer, features, candidates, attraction);
    features.compile();
    const auto rows =
        std::make_shared<const std::vector<learning::Row>>(features.rows().begin(), features.rows().end());
    for (std::size_t i = 0; i < candidates.size(); ++i)
      ASSERT_NEAR(attraction[i],
                  scorer->model()
                      .predict({.rows = rows, .ad = table->ad(candidates[i]), .position = 0, .time_s = 0})
                      .attraction,
                  1e-5);
  }
}

}  // namespace
}  // namespace marquee::serving
