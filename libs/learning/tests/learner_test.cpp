#include "marquee/learning/learner.h"

#include <gtest/gtest.h>

#include <array>

#include "world.h"

namespace marquee::learning {
namespace {

// Colleges differ in what categories they like; ads differ within their campaigns.
struct Campus {
  FeatureSpec spec = spec_of({"hour", "college*category", "college*ad"});
  std::vector<Ad> ads = make_ads(50, 5);
  AdTable table{spec, ads};
  std::vector<std::vector<double>> taste;                     // [college][category]
  std::vector<double> quality;                                // [ad], logit
  std::vector<std::shared_ptr<const std::vector<Row>>> rows;  // [college]

  explicit Campus(std::uint64_t seed) {
    Dice dice(seed);
    taste.assign(4, std::vector<double>(5));
    for (auto& college : taste)
      for (auto& logit : college) logit = 0.8 * dice.normal();
    for (std::size_t i = 0; i < ads.size(); ++i) quality.push_back(-2.5 + 0.5 * dice.normal());
    RequestFeatures request(spec);
    for (std::size_t college = 0; college < 4; ++college) {
      request.clear();
      request.add("college", std::to_string(college));
      request.add("hour", std::to_string(college % 2));
      request.compile();
      rows.push_back(rows_of(request));
    }
  }
  [[nodiscard]] double attraction(std::size_t college, std::size_t ad) const {
    return logistic(quality[ad] + taste[college][ad / 5 % 5]);
  }
  [[nodiscard]] Impression impression(std::size_t college, std::size_t ad, std::uint8_t position) const {
    return {.rows = rows[college], .ad = table.ad(ad), .position = position, .time_s = 0};
  }
};

constexpr std::array<double, 4> kExamination = {1, 0.55, 0.3, 0.18};

enum class Logs {
  fair,        // Every ad stands at every position alike.
  confounded,  // The better half of the ads stands mostly at the last position, the worse half at the first.
  blind,       // The same, and the learner is told that all stood at the first.
};

void teach(Learner& learner, const Campus& campus, int count, std::uint64_t seed, Logs logs = Logs::fair) {
  Dice dice(seed);
  for (int i = 0; i < count; ++i) {
    const auto college = dice.below(4), ad = dice.below(campus.ads.size());
    std::size_t position = dice.below(4);
    if (logs != Logs::fair && dice.happens(0.8)) position = campus.quality[ad] > -2.5 ? 3 : 0;
    const bool is_clicked = dice.happens(kExamination[position] * campus.attraction(college, ad));
    const auto told = static_cast<std::uint8_t>(logs == Logs::blind ? 0 : position);
    (void)learner.learn(campus.impression(college, ad, told), is_clicked ? 1 : 0);
  }
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  double ma = 0, mb = 0, ab = 0, aa = 0, bb = 0;
  const auto n = static_cast<double>(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) ma += a[i] / n, mb += b[i] / n;
  for (std::size_t i = 0; i < a.size(); ++i)
    ab += (a[i] - ma) * (b[i] - mb), aa += (a[i] - ma) * (a[i] - ma), bb += (b[i] - mb) * (b[i] - mb);
  return ab / std::sqrt(aa * bb);
}

TEST(Learner, learns_what_each_college_likes_of_each_ad) {
  const Campus campus(1);
  Learner learner(campus.spec, small(16));
  teach(learner, campus, 200'000, 2);
  std::vector<double> said, truth;
  double error = 0;
  for (std::size_t college = 0; college < 4; ++college)
    for (std::size_t ad = 0; ad < 50; ++ad) {
      said.push_back(std::log(learner.predict(campus.impression(college, ad, 0)).attraction));
      truth.push_back(std::log(campus.attraction(college, ad)));
      error += std::abs(said.back() - truth.back()) / 200;
    }
  EXPECT_GT(correlation(said, truth), 0.97);
  EXPECT_LT(error, 0.2);
}

TEST(Learner, finds_the_examination_of_positions_though_good_ads_stand_at_bad_ones) {
  const Campus campus(3);
  Learner learner(campus.spec, small(16));
  teach(learner, campus, 300'000, 4, Logs::confounded);
  const auto model = learner.model();
  for (std::size_t position = 0; position < 4; ++position)
    EXPECT_NEAR(model->examination.at(position), kExamination[position], 0.12 * kExamination[position]) << position;
}

// The same logs: what ranks by clicks per impression is misled, the model is not.
TEST(Learner, knows_good_ads_from_good_positions) {
  const Campus campus(3);
  Learner learner(campus.spec, small(16)), blind(campus.spec, small(16));
  teach(learner, campus, 300'000, 4, Logs::confounded);
  teach(blind, campus, 300'000, 4, Logs::blind);
  std::vector<double> said, misled, truth;
  for (std::size_t college = 0; college < 4; ++college)
    for (std::size_t ad = 0; ad < 50; ++ad) {
      said.push_back(std::log(learner.predict(campus.impression(college, ad, 0)).attraction));
      misled.push_back(std::log(blind.predict(campus.impression(college, ad, 0)).attraction));
      truth.push_back(std::log(campus.attraction(college, ad)));
    }
  EXPECT_GT(correlation(said, truth), 0.95);
  EXPECT_LT(correlation(misled, truth), 0.8);
}

TEST(Learner, starts_a_new_ad_at_what_its_campaign_has_shown_and_lets_clicks_move_it) {
  const Campus campus(5);
  Learner learner(campus.spec, small(16));
  auto ads = campus.ads;
  ads.push_back(ads[0]);
  ads.back().id = "new";
  const AdTable table(campus.spec, ads);
  teach(learner, campus, 100'000, 6);
  auto fresh = campus.impression(0, 0, 0);
  fresh.ad = table.ad(50);
  double campaign = 0;
  for (std::size_t ad = 0; ad < 5; ++ad) campaign += campus.attraction(0, ad) / 5;
  const double before = learner.predict(fresh).attraction;
  EXPECT_GT(before, 0.6 * campaign);
  EXPECT_LT(before, 1.6 * campaign);
  for (int i = 0; i < 400; ++i) (void)learner.learn(fresh, 0);
  EXPECT_LT(learner.predict(fresh).attraction, 0.5 * before);
}

// Half of what a rate rests on is gone after a half life, so the rate goes over to the new one as fast.
TEST(Learner, forgets_as_fast_as_its_half_life_says) {
  const Campus campus(7);
  auto options = small(12);
  options.half_life_s = 3'600;
  Learner forgetful(spec_of({}), options), faithful(spec_of({}), small(12));
  Dice dice(12);
  auto impression = campus.impression(0, 0, 0);
  impression.rows = std::make_shared<const std::vector<Row>>();
  for (int hour = 0; hour < 20; ++hour)
    for (int i = 0; i < 3'000; ++i) {
      impression.time_s = 1e9 + 3'600.0 * hour + 1.2 * i;
      const double clicks = dice.happens(hour < 10 ? 0.2 : 0.05) ? 1 : 0;
      (void)forgetful.learn(impression, clicks);
      (void)faithful.learn(impression, clicks);
    }
  EXPECT_NEAR(forgetful.predict(impression).attraction, 0.05, 0.01);
  EXPECT_NEAR(faithful.predict(impression).attraction, 0.125, 0.01);
}

TEST(Learner, keeps_its_weights_when_it_grows_less_sure_of_them) {
  constexpr float kPrecision = 2, kL1 = 0.1F;
  const auto weight = [](const Coordinate& at) { return ftrl_weight(at, kPrecision, kL1); };
  Coordinate at;
  for (int i = 0; i < 200; ++i) ftrl_step(at, weight(at), i % 3 == 0 ? 0.4F : -0.5F, 0.2F);
  const float before = weight(at);
  ASSERT_GT(before, 0.1F);
  auto less_sure = at;
  ftrl_forget(less_sure, kPrecision, kL1, 0.25F);
  EXPECT_NEAR(weight(less_sure), before, 1e-5);
  ftrl_step(at, before, 0.5F, 0.2F);
  ftrl_step(less_sure, before, 0.5F, 0.2F);
  EXPECT_GT(before - weight(less_sure), 1.3F * (before - weight(at)));
}

// What colleges like is worth some 0.8 of a logit, and minutes tell nothing.
TEST(Learner, believes_terms_whose_weights_matter_and_pulls_the_others_to_0) {
  const Campus campus(11);
  const auto spec = spec_of({"college*category", "minute*ad"});
  const AdTable table(spec, campus.ads);
  RequestFeatures request(spec);
  Learner learner(spec, small(16));
  Dice dice(13);
  const auto impression = [&](std::size_t college, std::size_t ad) {
    request.clear();
    request.add("college", std::to_string(college));
    request.add("minute", std::to_string(dice.below(60)));
    request.compile();
    return Impression{.rows = rows_of(request), .ad = table.ad(ad), .position = 0, .time_s = 0};
  };
  for (int i = 0; i < 60'000; ++i) {
    const auto college = dice.below(4), ad = dice.below(50);
    (void)learner.learn(impression(college, ad), dice.happens(campus.attraction(college, ad)) ? 1 : 0);
  }
  const auto& precisions = learner.precisions().all();  // In the order of ad fields: minute*ad first.
  ASSERT_EQ(precisions.size(), 2U);
  EXPECT_GT(precisions[0], 20);
  EXPECT_LT(precisions[1], 5);
}

// What colleges like is swapped; ads are liked as much as before by all together, so only weights can follow.
TEST(Learner, follows_tastes_that_turn_sooner_where_its_weights_have_a_half_life) {
  const auto spec = spec_of({"college*category"});
  const AdTable table(spec, make_ads(10, 2));
  std::vector<std::shared_ptr<const std::vector<Row>>> rows;
  for (const std::string college : {"a", "b"}) {
    RequestFeatures request(spec);
    request.add("college", college);
    request.compile();
    rows.push_back(rows_of(request));
  }
  auto options = small(12);
  options.weight_half_life_s = 86'400;
  Learner forgetful(spec, options), faithful(spec, small(12));
  Dice dice(3);
  constexpr int kADay = 2'000, kTurn = 30, kDays = 33;
  for (int i = 0; i < kDays * kADay; ++i) {
    const auto college = dice.below(2), ad = dice.below(10);
    const bool likes = (ad / 5 == college) == (i < kTurn * kADay);
    const Impression one{.rows = rows[college],
                         .ad = table.ad(static_cast<std::uint32_t>(ad)),
                         .position = 0,
                         .time_s = 1e9 + 86'400.0 * i / kADay};
    const double clicks = dice.happens(likes ? 0.16 : 0.04) ? 1 : 0;
    (void)forgetful.learn(one, clicks);
    (void)faithful.learn(one, clicks);
  }
  const Impression liked{.rows = rows[0], .ad = table.ad(9), .position = 0, .time_s = 1e9 + 86'400.0 * kDays};
  EXPECT_GT(forgetful.predict(liked).attraction, 0.12);
  EXPECT_LT(faithful.predict(liked).attraction, 0.8 * forgetful.predict(liked).attraction);
}

TEST(Learner, replays_the_same_examples_to_the_same_bits) {
  const Campus campus(7);
  Learner first(campus.spec, small(14)), second(campus.spec, small(14)), other(campus.spec, small(14));
  teach(first, campus, 20'000, 8);
  teach(second, campus, 20'000, 8);
  teach(other, campus, 20'000, 9);
  EXPECT_EQ(first.save(), second.save());
  EXPECT_EQ(first.version(), second.version());
  EXPECT_NE(first.version(), other.version());
}

TEST(Learner, goes_on_from_what_was_saved_as_if_never_interrupted) {
  const Campus campus(7);
  Learner straight(campus.spec, small(14));
  teach(straight, campus, 10'000, 8);
  auto resumed = Learner::load(campus.spec, small(14), straight.save());
  ASSERT_TRUE(resumed) << resumed.error().message;
  EXPECT_EQ(resumed->examples(), 10'000U);
  teach(straight, campus, 10'000, 9);
  teach(*resumed, campus, 10'000, 9);
  EXPECT_EQ(straight.save(), resumed->save());
  EXPECT_EQ(straight.model()->version, resumed->version());
}

TEST(Learner, does_not_load_what_is_damaged_or_of_another_spec) {
  const Campus campus(7);
  Learner learner(campus.spec, small(12));
  teach(learner, campus, 2'000, 8);
  const auto bytes = learner.save();
  ASSERT_TRUE(Learner::load(campus.spec, small(12), bytes));
  Dice dice(10);
  for (int i = 0; i < 300; ++i) {
    auto damaged = bytes;
    damaged[i < 40 ? static_cast<std::size_t>(i) : dice.below(bytes.size())] ^= static_cast<char>(1U << dice.below(8));
    if (damaged == bytes) continue;
    EXPECT_FALSE(Learner::load(campus.spec, small(12), damaged)) << i;
    EXPECT_FALSE(Learner::load(campus.spec, small(12), bytes.substr(0, dice.below(bytes.size())))) << i;
  }
  const auto larger = Learner::load(campus.spec, small(13), bytes);
  ASSERT_FALSE(larger);
  EXPECT_EQ(larger.error().action, Action::reject);
  EXPECT_FALSE(Learner::load(spec_of({"college*category"}), small(12), bytes));
}

}  // namespace
}  // namespace marquee::learning
