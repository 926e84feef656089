#include "marquee/learning/exploration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "world.h"

namespace marquee::learning {
namespace {

struct Field {
  std::vector<float> value, spread;
  [[nodiscard]] Arms arms() const { return {.value = value, .spread = spread}; }
};

Field random_field(std::size_t count, std::uint64_t seed) {
  Field field;
  Dice dice(seed);
  for (std::size_t i = 0; i < count; ++i) {
    field.value.push_back(static_cast<float>(0.01 * std::exp(0.7 * dice.normal())));
    field.spread.push_back(static_cast<float>(0.05 + 0.4 * dice.unit()));
  }
  return field;
}

/// All propensities of the last next(), by arm; `gone` are the arms that were not to be chosen.
std::map<std::uint32_t, double> propensities(const SlateDraw& draw, std::size_t arms,
                                             const std::set<std::uint32_t>& gone) {
  std::map<std::uint32_t, double> all;
  for (std::uint32_t arm = 0; arm < arms; ++arm)
    if (!gone.contains(arm)) all[arm] = draw.others_propensity();
  for (const auto& share : draw.shortlist()) all.at(share.arm) = share.propensity;
  return all;
}

// Up to twenty positions over random fields, some of them with arms of no value, under random options.
void draw_and_check(std::uint64_t seed) {
  Dice dice(seed);
  const auto count = 1 + dice.below(200);
  auto field = random_field(count, seed);
  for (auto& value : field.value)
    if (dice.happens(0.1)) value = 0;
  ExplorationOptions options;
  options.method = static_cast<Method>(dice.below(3));
  options.uniform_share = static_cast<double>(dice.below(11)) / 10;
  options.shortlist = static_cast<std::uint32_t>(1 + dice.below(60));
  options.draws = static_cast<std::uint32_t>(1 + dice.below(200));
  ASSERT_TRUE(check(options));
  SlateDraw draw(options);
  draw.begin(field.arms(), seed, static_cast<double>(dice.below(1'000'000)));
  std::set<std::uint32_t> gone;
  for (int position = 0; position < 20; ++position) {
    if (position == 2) {
      const auto excluded = static_cast<std::uint32_t>(dice.below(count));
      draw.exclude(excluded);
      gone.insert(excluded);
    }
    const auto choice = draw.next();
    ASSERT_EQ(choice.has_value(), gone.size() < count);
    if (!choice) return;
    ASSERT_FALSE(gone.contains(choice->arm));
    const auto all = propensities(draw, count, gone);
    ASSERT_EQ(draw.candidates(), all.size());
    ASSERT_EQ(draw.shortlist().size(), std::min<std::size_t>(options.shortlist, all.size()));
    ASSERT_EQ(choice->propensity, all.at(choice->arm));
    const auto left = static_cast<double>(all.size());
    double sum = 0;
    for (const auto& [arm, p] : all) {
      sum += p;
      ASSERT_GE(p, options.uniform_share / left * (1 - 1e-12));
    }
    ASSERT_NEAR(sum, 1, 1e-9);
    const auto promise = [&](std::uint32_t arm) { return field.value[arm] * (1.0 + field.spread[arm]); };
    double least = std::numeric_limits<double>::infinity();
    std::set<std::uint32_t> listed;
    for (const auto& share : draw.shortlist()) {
      listed.insert(share.arm);
      least = std::min(least, promise(share.arm));
    }
    for (const auto& [arm, p] : all) ASSERT_TRUE(listed.contains(arm) || promise(arm) <= least);
    // Where all traffic is uniform, and there are more than 1,000 candidates, there is no more to give.
    const double most = options.uniform_share / left + (1 - options.uniform_share) / options.shortlist;
    for (const auto& share : draw.shortlist()) ASSERT_GE(share.propensity, std::min(options.floor, most) * (1 - 1e-9));
    gone.insert(choice->arm);
  }
}

// How many positions are said to come decides how much is put by, and nothing else.
TEST(SlateDraw, draws_the_same_whatever_number_of_positions_was_said) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto field = random_field(200, seed);
    SlateDraw few({.shortlist = 20}), many({.shortlist = 20});
    few.begin(field.arms(), seed, 1'000, 1);
    many.begin(field.arms(), seed, 1'000, 100);
    for (int position = 0; position < 30; ++position) {
      const auto a = *few.next(), b = *many.next();
      ASSERT_EQ(a.arm, b.arm) << "seed " << seed;
      ASSERT_EQ(a.propensity, b.propensity) << "seed " << seed;
      ASSERT_TRUE(
          std::ranges::equal(few.shortlist(), many.shortlist(), {}, &SlateDraw::Share::arm, &SlateDraw::Share::arm));
    }
  }
}

/// The shortlist by its definition: all that is left in the order of promise, then the first of these by value.
std::vector<std::uint32_t> shortlist_of(const Field& field, const ExplorationOptions& options,
                                        const std::set<std::uint32_t>& gone) {
  std::vector<std::uint32_t> arms;
  for (std::uint32_t arm = 0; arm < field.value.size(); ++arm)
    if (!gone.contains(arm)) arms.push_back(arm);
  const auto promise = [&](std::uint32_t arm) { return field.value[arm] * (1 + options.optimism * field.spread[arm]); };
  std::ranges::sort(arms, {}, [&](std::uint32_t arm) { return std::pair(-promise(arm), arm); });
  arms.resize(std::min<std::size_t>(arms.size(), options.shortlist));
  std::ranges::sort(arms, {}, [&](std::uint32_t arm) { return std::pair(-field.value[arm], arm); });
  return arms;
}

TEST(SlateDraw, lists_the_most_promising_with_ties_in_the_order_of_the_arms) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Dice dice(seed);
    const auto count = 1 + dice.below(seed % 3 == 0 ? 3'000 : 300);
    auto field = random_field(count, seed);
    // Of few values, so that many are alike, where the shortlist ends as well.
    if (dice.happens(0.5))
      for (auto& value : field.value) value = static_cast<float>(dice.below(5)) / 64;
    if (dice.happens(0.5)) field.spread.assign(count, 0.25F);
    const ExplorationOptions options{.shortlist = static_cast<std::uint32_t>(1 + dice.below(60)),
                                     .optimism = dice.unit()};
    SlateDraw draw(options);
    draw.begin(field.arms(), seed, 1'000, 1 + dice.below(3));
    std::set<std::uint32_t> gone;
    for (int position = 0; position < 4 && gone.size() < count; ++position) {
      ASSERT_TRUE(draw.share_out());
      const std::vector<SlateDraw::Share> shares(draw.shortlist().begin(), draw.shortlist().end());
      const auto expected = shortlist_of(field, options, gone);
      ASSERT_TRUE(std::ranges::equal(shares, expected, {}, &SlateDraw::Share::arm)) << "seed " << seed;
      const auto choice = draw.next();
      ASSERT_TRUE(choice.has_value());
      ASSERT_TRUE(std::ranges::equal(shares, draw.shortlist(), {}, &SlateDraw::Share::propensity,
                                     &SlateDraw::Share::propensity))
          << "who draws himself has the chances of who does not, seed " << seed;
      gone.insert(choice->arm);
    }
  }
}

TEST(SlateDraw, shares_out_nothing_where_no_arm_is_left) {
  const auto field = random_field(2, 1);
  SlateDraw draw({});
  draw.begin(field.arms(), 1, 1'000);
  draw.exclude(0);
  draw.exclude(1);
  EXPECT_FALSE(draw.share_out());
  EXPECT_FALSE(draw.next().has_value());
}

TEST(SlateDraw, propensities_sum_to_one_and_hold_their_floors_at_every_position) {
  for (std::uint64_t seed = 0; seed < 3'000; ++seed) {
    SCOPED_TRACE(seed);
    draw_and_check(seed);
    if (HasFatalFailure()) return;
  }
}

/// Draws many slates and compares, by position and arm, how often each was chosen with the sum of its propensities.
class Frequencies {
 public:
  void expect(std::size_t position, const std::map<std::uint32_t, double>& all) {
    for (const auto& [arm, p] : all) cells_[{position, arm}].expected += p;
  }
  void observe(std::size_t position, std::uint32_t arm) { ++cells_[{position, arm}].observed; }
  [[nodiscard]] double chi_square() const {
    double sum = 0, rare_expected = 0, rare_observed = 0;
    for (const auto& [key, cell] : cells_) {
      if (cell.expected < 10) {
        rare_expected += cell.expected;
        rare_observed += cell.observed;
        continue;
      }
      sum += (cell.observed - cell.expected) * (cell.observed - cell.expected) / cell.expected;
    }
    if (rare_expected == 0 && rare_observed > 0) return std::numeric_limits<double>::infinity();
    if (rare_expected > 0) sum += (rare_observed - rare_expected) * (rare_observed - rare_expected) / rare_expected;
    return sum;
  }
  [[nodiscard]] double limit() const {
    std::size_t cells = 1;
    for (const auto& [key, cell] : cells_) cells += cell.expected >= 10;
    return chi_square_limit(cells);
  }

 private:
  struct Cell {
    double expected = 0, observed = 0;
  };
  std::map<std::pair<std::size_t, std::uint32_t>, Cell> cells_;
};

enum class Lie { none, no_uniform_share, shares_of_the_first_position, greedy };

/// 20,000 slates of three positions over 60 arms; with a lie, propensities are told as someone might who got them
/// wrong.
Frequencies draw_many(const ExplorationOptions& options, Lie lie) {
  const auto field = random_field(60, 11);
  SlateDraw draw(options);
  Frequencies frequencies;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    draw.begin(field.arms(), seed, 2'000);
    std::set<std::uint32_t> gone;
    std::map<std::uint32_t, double> first;
    for (std::size_t position = 0; position < 3; ++position) {
      const auto choice = draw.next();
      auto all = propensities(draw, field.value.size(), gone);
      if (position == 0) first = all;
      if (lie == Lie::no_uniform_share)
        for (auto& [arm, p] : all) p = (p - draw.others_propensity()) / (1 - options.uniform_share);
      if (lie == Lie::shares_of_the_first_position) {
        double kept = 0;
        for (const auto& [arm, p] : all) kept += first.at(arm);
        for (auto& [arm, p] : all) p = first.at(arm) / kept;
      }
      if (lie == Lie::greedy)
        for (auto& [arm, p] : all) p = arm == draw.shortlist().front().arm ? 1 : 0;
      frequencies.expect(position, all);
      frequencies.observe(position, choice->arm);
      gone.insert(choice->arm);
    }
  }
  return frequencies;
}

class DrawnOften : public testing::TestWithParam<Method> {
 protected:
  ExplorationOptions options_{.method = GetParam(), .uniform_share = 0.03, .shortlist = 20, .draws = 32};
};

TEST_P(DrawnOften, choices_come_as_often_as_their_propensities_say) {
  const auto frequencies = draw_many(options_, Lie::none);
  EXPECT_LT(frequencies.chi_square(), frequencies.limit());
}

TEST_P(DrawnOften, the_comparison_sees_propensities_without_the_uniform_share) {
  const auto frequencies = draw_many(options_, Lie::no_uniform_share);
  EXPECT_GT(frequencies.chi_square(), frequencies.limit());
}

TEST_P(DrawnOften, the_comparison_sees_propensities_of_a_wrong_method) {
  const auto frequencies = draw_many(options_, Lie::greedy);
  EXPECT_GT(frequencies.chi_square(), frequencies.limit());
}

INSTANTIATE_TEST_SUITE_P(SlateDraw, DrawnOften, testing::Values(Method::squarecb, Method::thompson),
                         [](const auto& method) { return method.param == Method::squarecb ? "squarecb" : "thompson"; });

TEST(SlateDraw, the_comparison_sees_that_later_positions_depend_on_earlier_ones) {
  const auto frequencies = draw_many({.method = Method::squarecb}, Lie::shares_of_the_first_position);
  EXPECT_GT(frequencies.chi_square(), frequencies.limit());
}

// Within one request Thompson's shares differ from the next's; so the pairs of all requests are compared by how high
// their propensity was. Logging the mean share of an arm instead of the request's own would fail here.
TEST(SlateDraw, thompsons_propensity_is_that_of_the_very_request) {
  const auto field = random_field(40, 12);
  SlateDraw draw({.method = Method::thompson, .shortlist = 20, .draws = 16});
  struct Band {
    double expected = 0, observed = 0, variance = 0;
  };
  std::map<int, Band> bands;
  std::set<double> of_the_best;
  for (std::uint64_t seed = 0; seed < 40'000; ++seed) {
    draw.begin(field.arms(), seed, 2'000);
    const auto choice = draw.next();
    for (const auto& share : draw.shortlist()) {
      auto& band = bands[static_cast<int>(share.propensity * 16)];
      band.expected += share.propensity;
      band.variance += share.propensity * (1 - share.propensity);
      band.observed += share.arm == choice->arm;
    }
    of_the_best.insert(draw.shortlist().front().propensity);
  }
  EXPECT_GT(of_the_best.size(), 3U);
  EXPECT_GT(bands.size(), 5U);
  for (const auto& [band, seen] : bands)
    EXPECT_LT(std::abs(seen.observed - seen.expected), 4 * std::sqrt(seen.variance)) << band;
}

TEST(SlateDraw, squarecb_deals_by_the_gap_to_the_best) {
  const std::vector<float> value = {0.02F, 0.01F, 0.04F};
  SlateDraw draw({.uniform_share = 0, .floor = 0, .gamma_scale = 2, .gamma_exponent = 0.5});
  draw.begin({.value = value, .spread = {}}, 1, 100);  // gamma = 20
  ASSERT_TRUE(draw.next());
  const auto all = propensities(draw, 3, {});
  EXPECT_NEAR(all.at(0), 1 / (3 + 20 * 0.5), 1e-6);
  EXPECT_NEAR(all.at(1), 1 / (3 + 20 * 0.75), 1e-6);
  EXPECT_NEAR(all.at(2), 1 - 1 / 13.0 - 1 / 18.0, 1e-6);
}

TEST(SlateDraw, squarecb_explores_less_the_more_it_has_learned) {
  const auto field = random_field(100, 13);
  SlateDraw draw(ExplorationOptions{});
  double last = 0;
  for (const double clicks : {1.0, 100.0, 10'000.0, 1'000'000.0}) {
    draw.begin(field.arms(), 1, clicks);
    ASSERT_TRUE(draw.next());
    EXPECT_GT(draw.shortlist().front().propensity, last);
    last = draw.shortlist().front().propensity;
  }
  EXPECT_GT(last, 0.9);
}

// Two normals: P(a > b) = Phi((log a - log b) / sqrt(sa^2 + sb^2)).
TEST(SlateDraw, thompson_deals_by_the_posteriors_chance_of_being_best) {
  const std::vector<float> value = {0.010F, 0.012F}, spread = {0.3F, 0.1F};
  SlateDraw draw({.method = Method::thompson, .uniform_share = 0, .floor = 0, .draws = 65'536});
  draw.begin({.value = value, .spread = spread}, 5, 0);
  ASSERT_TRUE(draw.next());
  const double z = std::log(1.2) / std::sqrt(0.1);
  EXPECT_NEAR(propensities(draw, 2, {}).at(1), 0.5 * std::erfc(-z / std::sqrt(2)), 0.01);
}

TEST(SlateDraw, thompson_asks_for_the_spread_in_context_of_the_shortlist_alone) {
  const auto field = random_field(100, 15);
  std::set<std::uint32_t> asked;
  const std::function<float(std::uint32_t)> none = [&](std::uint32_t arm) {
    asked.insert(arm);
    return 0.0F;
  };
  SlateDraw draw({.method = Method::thompson, .uniform_share = 0, .floor = 0, .shortlist = 10});
  draw.begin({.value = field.value, .spread = field.spread, .spread_in_context = &none}, 5, 0);
  const auto choice = draw.next();
  EXPECT_EQ(asked.size(), 10U);
  EXPECT_EQ(choice->arm, draw.shortlist().front().arm);
  EXPECT_EQ(choice->propensity, 1);
}

TEST(SlateDraw, does_the_same_for_the_same_seed_and_not_for_another) {
  const auto field = random_field(500, 14);
  std::vector<std::vector<std::uint32_t>> slates;
  for (const std::uint64_t seed : {77U, 77U, 78U}) {
    SlateDraw draw({.method = Method::thompson});
    draw.begin(field.arms(), seed, 100);
    slates.emplace_back();
    for (int position = 0; position < 10; ++position) slates.back().push_back(draw.next()->arm);
  }
  EXPECT_EQ(slates[0], slates[1]);
  EXPECT_NE(slates[0], slates[2]);
}

TEST(SlateDraw, takes_uncertain_ads_into_the_shortlist) {
  Field field;
  field.value.assign(100, 0.010F);
  field.spread.assign(100, 0.05F);
  field.value[70] = 0.009F, field.spread[70] = 0.6F;  // New: promises less, but who knows.
  SlateDraw draw({.shortlist = 10});
  draw.begin(field.arms(), 1, 100);
  ASSERT_TRUE(draw.next());
  EXPECT_EQ(std::ranges::count(draw.shortlist(), 70U, &SlateDraw::Share::arm), 1);
}

TEST(Exploration, options_out_of_bounds_are_refused) {
  EXPECT_TRUE(check({}));
  EXPECT_FALSE(check({.uniform_share = 1.1}));
  EXPECT_FALSE(check({.uniform_share = std::nan("")}));
  EXPECT_FALSE(check({.floor = 0.02, .shortlist = 32}));
  EXPECT_FALSE(check({.shortlist = 0}));
  EXPECT_FALSE(check({.method = Method::thompson, .draws = 0}));
  EXPECT_FALSE(check({.gamma_scale = -1}));
}

}  // namespace
}  // namespace marquee::learning
