#include "marquee/simulate/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string>

#include "marquee/simulate/environment_answers.h"
#include "random.h"

namespace marquee::simulate {
namespace {

EnvironmentOptions options_of(std::string_view name, std::uint32_t visits = 0) {
  auto options = *find_environment(name);
  if (visits > 0) options.visits = visits;
  return options;
}

std::vector<std::uint32_t> drawn(Random& random, std::vector<std::uint32_t> ads, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    std::swap(ads[i], ads[i + random.below(static_cast<std::uint32_t>(ads.size() - i))]);
  ads.resize(count);
  return ads;
}

struct Worth {
  double chance = 0, clicks = 0, shown = 0, best = 0;
  [[nodiscard]] double rate() const { return chance / shown; }
};

/// What a policy gets, which is told the trial and the visit.
template <class Policy>
Worth worth_of(const Environment& environment, Policy policy) {
  Trial trial(environment);
  Worth worth;
  for (std::size_t i = 0; i < environment.visits().size(); ++i) {
    const auto ads = policy(trial, i);
    worth.best += trial.best_value(i);
    const auto shown = trial.show(i, ads);
    EXPECT_TRUE(shown) << "visit " << i;
    for (const auto& one : *shown) {
      worth.chance += one.chance;
      worth.clicks += one.click_ms ? 1 : 0;
      worth.shown += 1;
    }
  }
  return worth;
}

Worth uniform_in(const Environment& environment, std::uint64_t seed = 1) {
  Random random(seed);
  return worth_of(environment, [&](const Trial&, std::size_t i) {
    return drawn(random, environment.eligible(environment.visits()[i]), environment.options().slots);
  });
}

TEST(Environment, has_the_ctr_that_it_is_calibrated_to_when_ads_are_drawn_uniformly) {
  for (const auto& published : environments()) {
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
      const auto worth = uniform_in(Environment(options_of(published.name, 20'000), seed));
      // Views tire, which calibration leaves out: a little below.
      EXPECT_GT(worth.rate(), 0.0106) << published.name << " " << seed;
      EXPECT_LT(worth.rate(), 0.0114) << published.name << " " << seed;
      const double deviation = std::sqrt(worth.chance);
      EXPECT_NEAR(worth.clicks, worth.chance, 4 * deviation) << published.name << " " << seed;
    }
  }
}

TEST(Environment, has_an_oracle_that_no_slate_is_better_than) {
  for (const auto& published : environments()) {
    const Environment environment(options_of(published.name, 500), 3);
    const auto slots = environment.options().slots;
    Trial trial(environment);
    Random random(7);
    for (std::size_t i = 0; i < environment.visits().size(); ++i) {
      const double best = trial.best_value(i);
      // Another trial that has seen the same: what a slate is worth is told by showing it.
      for (int j = 0; j < 3; ++j) {
        auto other = trial;
        double worth = 0;
        const auto shown = other.show(i, drawn(random, environment.eligible(environment.visits()[i]), slots));
        for (const auto& one : *shown) worth += one.chance;
        EXPECT_LE(worth, best + 1e-12);
      }
      double worth = 0;
      const auto ads = trial.best(i);
      ASSERT_EQ(ads.size(), slots);
      const auto shown = trial.show(i, ads);
      for (const auto& one : *shown) worth += one.chance;
      EXPECT_NEAR(worth, best, 1e-12);
    }
  }
}

TEST(Environment, is_worth_learning_by_what_can_be_seen) {
  for (const auto& published : environments()) {
    const Environment environment(options_of(published.name, 10'000), 1);
    const auto uniform = uniform_in(environment);
    const auto best = worth_of(environment, [](const Trial& trial, std::size_t i) { return trial.best(i); });
    const auto visible = worth_of(environment, [](const Trial& trial, std::size_t i) { return trial.best(i, true); });
    RecordProperty(std::string(published.name), std::to_string(best.rate() / uniform.rate()) + " " +
                                                    std::to_string(visible.rate() / uniform.rate()));
    EXPECT_GT(visible.rate(), 2 * uniform.rate()) << published.name;
    EXPECT_GT(best.rate(), visible.rate()) << published.name;
  }
}

TEST(Environment, is_the_same_for_the_same_seed_and_gives_all_policies_the_same_luck) {
  const Environment one(options_of("calibrated", 2'000), 5), same(options_of("calibrated", 2'000), 5),
      other(options_of("calibrated", 2'000), 6);
  EnvironmentAnswers of_one(one), of_same(same), of_other(other);
  EXPECT_EQ(of_one.head(), of_same.head());
  const std::string asked = R"({"next":500})";
  const auto visits = *of_one.answer(asked);
  EXPECT_EQ(visits, *of_same.answer(asked));
  EXPECT_NE(visits, *of_other.answer(asked));
  // Where a policy's ad is at least as attractive as another's, it is clicked whenever the other's is.
  Trial good(one), bad(one);
  Random random(1);
  std::size_t clicks = 0;
  for (std::size_t i = 0; i < one.visits().size(); ++i) {
    const auto better = *good.show(i, good.best(i));
    const auto worse = *bad.show(i, drawn(random, one.eligible(one.visits()[i]), 2));
    for (std::size_t slot = 0; slot < 2; ++slot) {
      EXPECT_TRUE(better[slot].click_ms || !worse[slot].click_ms || better[slot].chance < worse[slot].chance);
      clicks += better[slot].click_ms ? 1 : 0;
    }
  }
  EXPECT_GT(clicks, 50U);
}

TEST(Environment, has_ads_for_every_slot_at_any_time_and_shows_none_that_is_not_there) {
  for (const auto& published : environments()) {
    const Environment environment(options_of(published.name, 5'000), 2);
    std::set<std::uint32_t> seen;
    std::size_t least = environment.ads().size();
    for (const auto& visit : environment.visits()) {
      const auto ads = environment.eligible(visit);
      least = std::min(least, ads.size());
      seen.insert(ads.begin(), ads.end());
    }
    EXPECT_GE(least, 5 * environment.options().slots) << published.name;
    EXPECT_GT(static_cast<double>(seen.size()), 0.9 * static_cast<double>(environment.ads().size())) << published.name;
    EXPECT_LT(least, seen.size()) << published.name << ": none is born or dies";
  }
  const Environment environment(options_of("many-new-ads", 1'000), 1);
  Trial trial(environment);
  std::uint32_t gone = 0;
  while (environment.is_eligible(environment.visits()[0], gone)) ++gone;
  const auto there = environment.eligible(environment.visits()[0]);
  EXPECT_FALSE(trial.show(0, std::vector{gone}));
  EXPECT_FALSE(trial.show(0, std::vector{there[0], there[0]}));
  EXPECT_FALSE(trial.show(0, std::vector{there[0], there[1], there[2]}));
  EXPECT_FALSE(trial.show(1'000, std::vector{there[0]}));
  EXPECT_TRUE(trial.show(0, std::vector{there[0], there[1]}));
}

TEST(Environment, tires_those_who_see_an_ad_again_and_lets_them_forget) {
  auto options = options_of("calibrated", 20'000);
  options.churn = 0;
  const Environment environment(options, 1);
  Trial trial(environment);
  std::map<std::uint32_t, std::vector<std::size_t>> by_student;
  for (std::size_t i = 0; i < environment.visits().size(); ++i)
    by_student[environment.visits()[i].student].push_back(i);
  const auto& often =
      std::ranges::max_element(by_student, {}, [](const auto& one) { return one.second.size(); })->second;
  const std::vector<std::uint32_t> ads = {0};
  double tired = 0, fresh = 0;
  for (const auto visit : often) {
    Trial newcomer(environment);
    fresh += newcomer.show(visit, ads)->at(0).chance;
    tired += trial.show(visit, ads)->at(0).chance;
  }
  // Views of the first minutes of the week tell of nothing at its end; views within the hour do.
  const auto last = often.back();
  Trial of_old(environment), of_late(environment);
  static_cast<void>(of_old.show(often[0], ads));
  static_cast<void>(of_late.show(last, ads));
  Trial newcomer(environment);
  const auto rested = newcomer.show(last, ads)->at(0).chance;
  EXPECT_GT(of_old.show(last, ads)->at(0).chance, 0.97 * rested);
  EXPECT_NEAR(of_late.show(last, ads)->at(0).chance, rested / (1 + environment.options().fatigue), 1e-12);
  EXPECT_GT(tired, 0.5 * fresh);
  EXPECT_LT(tired, 0.95 * fresh);
}

TEST(Environment, drifts_where_it_says_so) {
  // How many of the best ads of a first day would be a last day's best, on the same visits' contexts.
  const auto kept = [](std::string_view name) {
    auto options = options_of(name, 4'000);
    options.churn = 0;
    const Environment environment(options, 4);
    std::vector<std::uint32_t> ads(environment.ads().size());
    std::iota(ads.begin(), ads.end(), 0);
    double same = 0;
    for (std::size_t i = 0; i < 500; ++i) {
      auto visit = environment.visits()[i];
      std::vector<double> now(ads.size()), later(ads.size());
      environment.attractions(visit, ads, now);
      visit.time_ms += 6LL * 86'400'000;
      environment.attractions(visit, ads, later);
      same += std::ranges::max_element(now) - now.begin() == std::ranges::max_element(later) - later.begin() ? 1 : 0;
    }
    return same / 500;
  };
  EXPECT_GT(kept("calibrated"), 0.5);
  EXPECT_LT(kept("drifting"), 0.6 * kept("calibrated"));
}

TEST(Environment, examines_slots_as_its_options_say) {
  const Environment environment(options_of("position-heavy", 20'000), 1);
  std::array<double, kMostSlots> by_slot{};
  Trial trial(environment);
  Random random(1);
  for (std::size_t i = 0; i < environment.visits().size(); ++i) {
    const auto shown = *trial.show(i, drawn(random, environment.eligible(environment.visits()[i]), 4));
    for (std::size_t slot = 0; slot < 4; ++slot) by_slot[slot] += shown[slot].chance;
  }
  for (std::size_t slot = 1; slot < 4; ++slot)
    EXPECT_NEAR(by_slot[slot] / by_slot[0], environment.options().examination[slot], 0.05);
}

TEST(EnvironmentAnswers, tell_what_is_wrong_and_go_on) {
  const Environment environment(options_of("calibrated", 1'000), 1);
  EnvironmentAnswers answers(environment);
  for (const std::string_view line : {"", "[]", "{}", R"({"next":0})", R"({"next":"x"})", R"({"show":[[0]]})",
                                      R"({"show":[[0,[99999]]]})", R"({"show":[[1000,[0]]]})", R"({"best":[-1]})"})
    EXPECT_FALSE(answers.answer(line)) << line;
  EXPECT_THAT(*answers.answer(R"({"next":2})"), testing::HasSubstr(R"("visit":1,"time":)"));
  EXPECT_THAT(*answers.answer(R"({"next":10,"within_ms":0})"), testing::StartsWith(R"({"visits":[{"visit":2,)"))
      << "and no visit of a later moment";
  const auto best = *answers.answer(R"({"best":[0]})");
  EXPECT_THAT(best, testing::StartsWith(R"({"ads":[[)"));
  const auto ads = best.substr(8, best.size() - 10);
  EXPECT_THAT(*answers.answer(R"({"show":[[0,)" + ads + "]]}"), testing::StartsWith(R"({"shown":[{"best":0.)"));
}

}  // namespace
}  // namespace marquee::simulate
