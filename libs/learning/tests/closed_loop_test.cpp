// The parts together: score, choose, see what happens, learn.
#include <gtest/gtest.h>

#include <array>
#include <numeric>

#include "marquee/learning/exploration.h"
#include "marquee/learning/scorer.h"
#include "world.h"

namespace marquee::learning {
namespace {

constexpr std::size_t kColleges = 4;

// Colleges like different categories; ads differ, and the last of them is born when `born_at` decisions were made.
class Loop {
 public:
  Loop(const ExplorationOptions& exploration, std::uint64_t seed, double newborn)
      : ads_(std::make_shared<const AdTable>(spec_, make_ads(101))), exploration_(exploration), dice_(seed) {
    Dice truth(seed + 1'000);
    std::array<std::array<double, 10>, kColleges> taste;
    for (auto& college : taste)
      for (auto& logit : college) logit = 0.8 * truth.normal();
    for (std::size_t ad = 0; ad < ads_->size(); ++ad) {
      const double quality = -4.6 + 0.6 * truth.normal();
      for (std::size_t college = 0; college < kColleges; ++college)
        attraction_[college].push_back(logistic(quality + taste[college][ad / 5 % 10]));
    }
    for (auto& college : attraction_) college.back() = newborn;
    for (std::size_t college = 0; college < kColleges; ++college) {
      requests_.emplace_back(spec_);
      requests_.back().add("college", std::to_string(college));
      requests_.back().compile();
      rows_.push_back(rows_of(requests_.back()));
    }
  }

  struct Outcome {
    double clicks = 0, random = 0, best = 0;  // Expected clicks of what was chosen, of a random choice, of the best.
    double newborns_share = 0;                // Of decisions.
  };

  /// Makes `count` decisions, with a new model every 500.
  Outcome run(int count, bool is_newborn_there) {
    Outcome outcome;
    std::vector<std::uint32_t> candidates(ads_->size() - (is_newborn_there ? 0 : 1));
    std::iota(candidates.begin(), candidates.end(), 0U);
    std::vector<float> attraction(candidates.size()), spread(candidates.size());
    for (int i = 0; i < count; ++i) {
      if (i % 500 == 0) scorer_ = *Scorer::bind(learner_.model(), ads_);
      const auto college = dice_.below(kColleges);
      scorer_->score(requests_[college], candidates, attraction, scratch_);
      scorer_->rate_spread(candidates, spread);
      draw_.begin({.value = attraction, .spread = spread}, ++decision_, scorer_->model().clicks);
      const auto ad = draw_.next()->arm;
      const auto& truth = attraction_[college];
      const auto end = truth.begin() + static_cast<std::ptrdiff_t>(candidates.size());
      outcome.clicks += truth[ad];
      outcome.random += std::accumulate(truth.begin(), end, 0.0) / static_cast<double>(candidates.size());
      outcome.best += *std::max_element(truth.begin(), end);
      outcome.newborns_share += ad == 100 ? 1.0 / count : 0;
      (void)learner_.learn({.rows = rows_[college], .ad = ads_->ad(ad), .position = 0, .time_s = 0},
                           dice_.happens(truth[ad]));
    }
    return outcome;
  }

 private:
  FeatureSpec spec_ = spec_of({"college*category", "college*campaign", "college*ad"});
  std::shared_ptr<const AdTable> ads_;
  ExplorationOptions exploration_;
  Dice dice_;
  Learner learner_{spec_, small(16)};
  std::shared_ptr<const Scorer> scorer_;
  Scorer::Scratch scratch_;
  SlateDraw draw_{exploration_};
  std::array<std::vector<double>, kColleges> attraction_;
  std::vector<RequestFeatures> requests_;
  std::vector<std::shared_ptr<const std::vector<Row>>> rows_;
  std::uint64_t decision_ = 0;
};

class ClosedLoop : public testing::TestWithParam<Method> {
 protected:
  static constexpr std::uint64_t kSeed = 1;
  void SetUp() override { RecordProperty("seed", static_cast<int>(kSeed)); }
};

TEST_P(ClosedLoop, comes_to_show_what_is_clicked) {
  Loop loop({.method = GetParam(), .draws = 24}, kSeed, 0);
  (void)loop.run(40'000, false);
  const auto later = loop.run(10'000, false);
  RecordProperty("ctr_over_random", std::to_string(later.clicks / later.random));
  RecordProperty("ctr_over_best", std::to_string(later.clicks / later.best));
  EXPECT_GT(later.clicks, 2.5 * later.random);
  EXPECT_GT(later.clicks, 0.6 * later.best);
}

TEST_P(ClosedLoop, gives_a_new_ad_that_is_good_its_chance) {
  Loop loop({.method = GetParam(), .draws = 24}, kSeed, 0.15);
  (void)loop.run(25'000, false);
  (void)loop.run(10'000, true);
  const double share = loop.run(10'000, true).newborns_share;
  RecordProperty("share", std::to_string(share));
  EXPECT_GT(share, 0.3);
}

TEST_P(ClosedLoop, does_not_spend_itself_on_a_new_ad_that_is_bad) {
  Loop loop({.method = GetParam(), .draws = 24}, kSeed, 0.001);
  (void)loop.run(25'000, false);
  const double share = loop.run(10'000, true).newborns_share;
  RecordProperty("share", std::to_string(share));
  EXPECT_GT(share, 1e-4);
  EXPECT_LT(share, 0.03);
}

INSTANTIATE_TEST_SUITE_P(Methods, ClosedLoop, testing::Values(Method::squarecb, Method::thompson),
                         [](const auto& method) { return method.param == Method::squarecb ? "squarecb" : "thompson"; });

}  // namespace
}  // namespace marquee::learning
