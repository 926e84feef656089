#include "fatigue.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>

#include "marquee/decision/names.h"
#include "marquee/learning/scorer.h"
#include "model_features.h"

namespace marquee::serving {
namespace {

using decision::Field;

constexpr std::size_t kCampaigns = 6, kAdsOfCampaign = 4;

std::shared_ptr<const decision::Inventory> inventory() {
  std::vector<decision::Campaign> campaigns;
  for (std::size_t c = 0; c < kCampaigns; ++c) {
    decision::Campaign one{.id = fmt::format("c{}", c), .status = decision::Status::active, .category = "law"};
    for (std::size_t a = 0; a < kAdsOfCampaign; ++a) one.ads.push_back({.id = fmt::format("c{}a{}", c, a)});
    campaigns.push_back(std::move(one));
  }
  return decision::Inventory::compile(std::move(campaigns), {{.id = "top"}});
}

/// A user who saw some campaigns and ads, some of which are in the inventory.
class RandomContexts {
 public:
  explicit RandomContexts(std::uint64_t seed) : random_(seed) {}
  decision::Context next() {
    decision::Context context;
    context.add(Field::page, "home");
    for (std::size_t c = 0; c < kCampaigns + 2; ++c) {
      const auto campaign = fmt::format("c{}", c), ad = fmt::format("c{}a{}", c, below(kAdsOfCampaign));
      const AdTopics topics(campaign, ad);
      if (below(2) == 0) add(context, Field::seen_campaign, topics.campaign);
      if (below(3) == 0) add(context, Field::seen_ad, topics.ad);
    }
    return context;
  }
  std::size_t below(std::size_t n) { return random_() % n; }

 private:
  void add(decision::Context& context, Field field, profile::Topic topic) {
    context.add(field, texts_.emplace_back(fmt::format("{:08x}:{}", topic, 1 + below(kSeenLevels - 1))));
  }
  std::mt19937_64 random_;
  std::deque<std::string> texts_;
};

// The learner says what an ad's attraction is in a context that its log has; the ranker, of all candidates at once.
TEST(Fatigue, gives_every_candidate_what_the_model_says_of_it_alone) {
  constexpr std::uint64_t kSeed = 3;
  const auto spec = *learning::FeatureSpec::parse(model_feature_options());
  const auto all = inventory();
  std::vector<learning::Ad> ads;
  std::vector<std::uint32_t> candidates;
  for (const auto& row : all->ads()) {
    ads.push_back(model_ad("campus", row));
    candidates.push_back(row.row);
  }
  const auto table = std::make_shared<const learning::AdTable>(spec, ads);
  RandomContexts contexts(kSeed);
  learning::RequestFeatures features(spec);
  const auto impression_of = [&](const decision::Context& context, const decision::AdRow& ad) {
    features.clear();
    const AdTopics topics(ad.campaign->campaign->id, ad.ad->id);
    for (const auto& known : context.known)
      describe_known_of(topics, features, decision::name(known.field), known.value);
    features.compile();
    return learning::Impression{
        .rows = std::make_shared<const std::vector<learning::Row>>(features.rows().begin(), features.rows().end()),
        .ad = table->ad(ad.row)};
  };
  learning::Learner learner(spec, {.slots_log2 = 14, .ftrl = {}, .priors = {}});
  for (int i = 0; i < 3'000; ++i) {
    const auto context = contexts.next();
    const auto& ad = all->ads()[contexts.below(all->ads().size())];
    // Whose campaign was seen is not clicked.
    const auto topic = AdTopics(ad.campaign->campaign->id, {}).campaign;
    const bool is_seen = std::ranges::any_of(context.known, [&](const decision::Known& known) {
      const auto seen = read_seen(known.value);
      return known.field == Field::seen_campaign && seen && seen->topic == topic;
    });
    static_cast<void>(learner.learn(impression_of(context, ad), !is_seen && contexts.below(3) == 0 ? 1 : 0));
  }
  const auto model = learner.model();
  const auto scorer = *learning::Scorer::bind(model, table);
  const SeenAds seen_ads(*all);
  const Fatigue fatigue(spec);
  Fatigue::Scratch scratch;
  learning::Scorer::Scratch work;
  std::vector<float> attraction(candidates.size());
  int lower = 0;
  for (int i = 0; i < 200; ++i) {
    const auto context = contexts.next();
    features.clear();
    for (const auto& known : context.known) describe_known(features, decision::name(known.field), known.value);
    features.compile();
    scorer->score(features, candidates, attraction, work);
    const auto before = attraction;
    fatigue.apply(context, seen_ads, *model, candidates, attraction, scratch);
    for (const auto row : candidates) {
      const double expected = model->predict(impression_of(context, all->ads()[row])).attraction;
      ASSERT_NEAR(attraction[row], expected, 1e-5) << "seed " << kSeed << ", ad " << row;
      lower += attraction[row] < 0.5F * before[row] ? 1 : 0;
    }
  }
  EXPECT_GT(lower, 500) << "what was seen is learned to matter";
}

}  // namespace
}  // namespace marquee::serving
