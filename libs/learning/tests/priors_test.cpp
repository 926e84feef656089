#include "marquee/learning/priors.h"

#include <gtest/gtest.h>

#include "world.h"

namespace marquee::learning {
namespace {

constexpr PriorPath kAd{.site = 1, .category = 2, .campaign = 3, .ad = 4};
constexpr PriorPath kSister{.site = 1, .category = 2, .campaign = 3, .ad = 5};
constexpr PriorPath kStranger{.site = 1, .category = 6, .campaign = 7, .ad = 8};

TEST(Priors, have_the_rate_that_is_given_where_nothing_is_known) {
  const Priors priors(PriorOptions{.site_rate = 0.02});
  EXPECT_NEAR(priors.rate(kAd).mean, 0.02, 1e-12);
  EXPECT_EQ(priors.rate(kAd).clicks, PriorOptions{}.ad_clicks);
}

TEST(Priors, follow_the_formula_on_each_level) {
  Priors priors(
      PriorOptions{.site_rate = 0.01, .site_clicks = 1, .category_clicks = 10, .campaign_clicks = 5, .ad_clicks = 3});
  priors.add(kAd, 4, 200);
  const double site = (4 + 1) / (200 + 1 / 0.01), category = (4 + 10) / (200 + 10 / site),
               campaign = (4 + 5) / (200 + 5 / category);
  EXPECT_NEAR(priors.rate(kAd).mean, (4 + 3) / (200 + 3 / campaign), 1e-12);
  EXPECT_NEAR(priors.rate(kSister).mean, campaign, 1e-12);
  EXPECT_NEAR(priors.rate(kStranger).mean, site, 1e-12);
  EXPECT_EQ(priors.rate(kAd).clicks, 7);
}

TEST(Priors, let_an_ad_of_many_impressions_speak_for_itself) {
  Priors priors{PriorOptions{}};
  priors.add(kSister, 5'000, 100'000);
  priors.add(kAd, 1'000, 100'000);
  EXPECT_NEAR(priors.rate(kAd).mean, 0.01, 1e-4);
  EXPECT_NEAR(priors.rate(kSister).mean, 0.05, 5e-4);
}

// Ads of a campaign differ: log-normal around its rate. After few impressions the shrunk rate must be nearer to the
// truth than the ad's own CTR (which is 0 for most: starved) and than the campaign's (which never learns).
TEST(Priors, come_nearer_to_the_truth_of_new_ads_than_their_own_rate_or_their_campaigns) {
  Dice dice(20261127);
  double shrunk = 0, own = 0, parents = 0;
  for (int campaign = 0; campaign < 200; ++campaign) {
    Priors priors{PriorOptions{}};
    const double base = 0.02 * std::exp(0.5 * dice.normal());
    std::vector<double> truth;
    std::vector<std::array<double, 2>> seen;
    for (std::uint64_t ad = 0; ad < 10; ++ad) {
      truth.push_back(base * std::exp(0.5 * dice.normal()));
      const int shown = 200;
      int clicks = 0;
      for (int i = 0; i < shown; ++i) clicks += dice.happens(truth.back());
      priors.add({.site = 1, .category = 2, .campaign = 3, .ad = 10 + ad}, clicks, shown);
      seen.push_back({static_cast<double>(clicks), static_cast<double>(shown)});
    }
    const double of_campaign = priors.rate({.site = 1, .category = 2, .campaign = 3, .ad = 999}).mean;
    for (std::uint64_t ad = 0; ad < 10; ++ad) {
      const auto square = [&](double guess) { return (guess - truth[ad]) * (guess - truth[ad]); };
      shrunk += square(priors.rate({.site = 1, .category = 2, .campaign = 3, .ad = 10 + ad}).mean);
      own += square(seen[ad][0] / seen[ad][1]);
      parents += square(of_campaign);
    }
  }
  EXPECT_LT(shrunk, 0.8 * own);
  EXPECT_LT(shrunk, 0.8 * parents);
}

TEST(Priors, decay_clicks_and_exposure_alike) {
  Priors priors{PriorOptions{}};
  priors.add(kAd, 8, 100);
  priors.decay(0.5);
  EXPECT_EQ(priors.nodes().at(kAd.ad).clicks, 4);
  EXPECT_EQ(priors.nodes().at(kAd.site).exposure, 50);
}

}  // namespace
}  // namespace marquee::learning
