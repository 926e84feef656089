#include "marquee/learning/scorer.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <thread>

#include "marquee/learning/published.h"
#include "world.h"

namespace marquee::learning {
namespace {

void fill(RequestFeatures& request, Dice& dice) {
  request.clear();
  for (const char* name : {"hour", "device", "college", "page", "course", "query", "slot", "program", "year"})
    request.add(name, std::to_string(dice.below(6)));
  request.add("interest", std::to_string(dice.below(9)), static_cast<float>(dice.unit()));
  request.add("topic", "category" + std::to_string(dice.below(10)), static_cast<float>(dice.unit()));
  request.compile();
}

std::shared_ptr<const Model> taught(const FeatureSpec& spec, const AdTable& ads, std::uint64_t seed) {
  Learner learner(spec, small(16));
  RequestFeatures request(spec);
  Dice dice(seed);
  for (int i = 0; i < 3'000; ++i) {
    fill(request, dice);
    (void)learner.learn({.rows = rows_of(request), .ad = ads.ad(dice.below(ads.size())), .position = 0, .time_s = 0},
                        dice.happens(0.2) ? 1 : 0);
  }
  return learner.model();
}

// The model's own prediction of one impression is the oracle of the scores of many.
TEST(Scorer, scores_each_candidate_as_the_model_predicts_it) {
  FeatureOptions features;
  features.terms.insert(features.terms.end(), {"topic=category", "page=advertiser", "college=advertiser"});
  const auto spec = *FeatureSpec::parse(features);
  const auto ads = std::make_shared<const AdTable>(spec, make_ads(300));
  const auto model = taught(spec, *ads, 1);
  const auto scorer = *Scorer::bind(model, ads);
  RequestFeatures request(spec);
  Scorer::Scratch scratch;
  Dice dice(2);
  double moved = 0;
  for (const std::size_t count : {300U, 150U, 40U, 7U, 1U, 0U}) {  // Values shared by many, by few, by none.
    fill(request, dice);
    std::vector<std::uint32_t> candidates;
    for (std::size_t i = 0; i < count; ++i) candidates.push_back(static_cast<std::uint32_t>(dice.below(ads->size())));
    std::vector<float> attraction(count);
    scorer->score(request, candidates, attraction, scratch);
    for (std::size_t i = 0; i < count; ++i) {
      const auto said =
          model->predict({.rows = rows_of(request), .ad = ads->ad(candidates[i]), .position = 0, .time_s = 0});
      EXPECT_NEAR(attraction[i], said.attraction, 1e-5 * said.attraction + 1e-7) << count << " " << i;
      moved += std::abs(said.attraction - model->priors.rate(ads->ad(candidates[i]).path).mean);
    }
  }
  EXPECT_GT(moved, 1);  // Else nothing was learned, and any score would do.
}

TEST(Scorer, is_less_sure_of_ads_and_contexts_that_were_seen_less) {
  const auto spec = spec_of({"college*ad"});
  const auto ads = std::make_shared<const AdTable>(spec, make_ads(5));
  Learner learner(spec, small(16));
  RequestFeatures seen(spec), unseen(spec);
  seen.add("college", "1"), seen.compile();
  unseen.add("college", "2"), unseen.compile();
  Dice dice(3);
  for (int i = 0; i < 1'000; ++i)
    (void)learner.learn({.rows = rows_of(seen), .ad = ads->ad(0), .position = 0, .time_s = 0}, dice.happens(0.1));
  const auto scorer = *Scorer::bind(learner.model(), ads);
  EXPECT_LT(scorer->spread(seen, 0, 5), 0.5F * scorer->spread(seen, 1, 5));
  EXPECT_LT(scorer->spread(seen, 0, 5), scorer->spread(unseen, 0, 5));
  EXPECT_NEAR(scorer->spread(unseen, 1, 5), std::sqrt(1 / PriorOptions{}.ad_clicks + 1 / 5.0), 1e-3);
}

TEST(Scorer, is_not_made_of_a_model_and_ads_of_different_features) {
  const auto spec = spec_of({"college*ad"});
  const auto ads = std::make_shared<const AdTable>(spec_of({"college*campaign"}), make_ads(5));
  EXPECT_FALSE(Scorer::bind(Learner(spec, small(10)).model(), ads));
}

// One learns and publishes while others score: each reader sees whole models, never an older one after a newer one.
// Meant for ThreadSanitizer, too.
TEST(Published, lets_many_score_while_one_learns) {
  const auto spec = spec_of({"college*ad", "hour"});
  const auto ads = std::make_shared<const AdTable>(spec, make_ads(20));
  Learner learner(spec, small(10));
  Published<Scorer> published;
  published.set(*Scorer::bind(learner.model(), ads));
  std::atomic<bool> is_done = false;
  std::atomic<int> failures = 0, scored = 0;
  std::vector<std::jthread> readers;
  for (std::uint64_t reader = 0; reader < 3; ++reader)
    readers.emplace_back([&, reader] {
      RequestFeatures request(spec);
      Scorer::Scratch scratch;
      Dice dice(reader);
      std::vector<std::uint32_t> candidates(ads->size());
      std::iota(candidates.begin(), candidates.end(), 0U);
      std::vector<float> attraction(candidates.size());
      std::uint64_t examples = 0;
      while (!is_done || scored < 50) {
        const auto scorer = published.get();
        fill(request, dice);
        scorer->score(request, candidates, attraction, scratch);
        const bool is_older = scorer->model().examples < examples;
        const bool is_wrong = std::ranges::any_of(attraction, [](float p) { return !(p > 0 && p < 1); });
        failures += is_older || is_wrong;
        examples = scorer->model().examples;
        ++scored;
      }
    });
  RequestFeatures request(spec);
  Dice dice(9);
  for (int version = 0; version < 100; ++version) {
    for (int i = 0; i < 20; ++i) {
      fill(request, dice);
      (void)learner.learn({.rows = rows_of(request), .ad = ads->ad(dice.below(20)), .position = 0, .time_s = 0},
                          dice.happens(0.3));
    }
    published.set(*Scorer::bind(learner.model(), ads));
  }
  is_done = true;
  readers.clear();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(published.get()->model().examples, 2'000U);
}

}  // namespace
}  // namespace marquee::learning
