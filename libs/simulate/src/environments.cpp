// The published environments. What is fixed here was fixed before any learner was run on it: mend learners, not this.
#include <algorithm>
#include <numbers>

#include "marquee/simulate/environment.h"

namespace marquee::simulate {

std::span<const EnvironmentOptions> environments() {
  static const std::vector<EnvironmentOptions> kAll = {
      {.name = "calibrated", .about = "a week of 72 ads in 24 campaigns, half of which begin or end in it"},
      {.name = "drifting",
       .about = "tastes of programs, colleges, years and students turn until nothing of the first ones is left",
       .drift = std::numbers::pi / 2},
      {.name = "many-new-ads",
       .about = "420 ads, of which some 75 are there at a time, each for about a day and a half",
       .campaigns = 140,
       .life_days = 1.5},
      {.name = "position-heavy",
       .about = "four slots on a page, of which the last is looked at by one in twelve",
       .visits = 50'000,
       .slots = 4,
       .examination = {1, 0.45, 0.2, 0.08}},
      {.name = "cold",
       .about = "a fifth of the visits, 120 ads: little is known of any of them",
       .visits = 20'000,
       .campaigns = 40},
  };
  return kAll;
}

const EnvironmentOptions* find_environment(std::string_view name) {
  const auto all = environments();
  const auto found = std::ranges::find(all, name, &EnvironmentOptions::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace marquee::simulate
