// The engine by the learned policy alone: one decision among many ads, on one thread. Prints FIGURE
// decision_learned_p50_us (2,000 ads, a page of three placements), and how it scales with ads and placements. "decided"
// is a hash of all that was decided, bit for bit: a change of the engine's speed leaves it as it is.
#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>
#include <vector>

#include "learned_site.h"

namespace {

using namespace marquee::serving;
using SteadyClock = std::chrono::steady_clock;

struct Figures {
  double p50_us = 0, p99_us = 0;
  std::size_t candidates = 0;
  std::uint64_t decided = 0;
};

/// Of which ads, their scores and chances, and which was chosen.
std::uint64_t hash_of(const marquee::decision::Decision& decision, std::uint64_t seed) {
  for (const auto& choice : decision.choices) {
    for (const auto& one : choice.candidates) {
      const float numbers[] = {one.score, one.value, one.propensity};
      seed = XXH3_64bits_withSeed(numbers, sizeof numbers, seed + one.row);
    }
    seed = XXH3_64bits_withSeed(&choice.propensity, sizeof choice.propensity,
                                seed + (choice.ad != nullptr ? choice.ad->row : 0));
  }
  return seed;
}

Figures measure(Site& site, std::size_t ads, std::size_t placements) {
  const std::size_t decisions = std::max<std::size_t>(200, 8'000'000 / (ads * placements));
  std::vector<double> times;
  std::size_t candidates = 0;
  std::uint64_t decided = 0;
  for (std::size_t i = 0; i < decisions; ++i) {
    auto& request = site.ask(placements).request;
    request.id = {.high = XXH3_64bits(&i, sizeof i), .low = XXH3_64bits_withSeed(&i, sizeof i, placements)};
    const auto begin = SteadyClock::now();
    auto decision = site.decider.decide(request);
    times.push_back(std::chrono::duration<double, std::micro>(SteadyClock::now() - begin).count());
    candidates += decision.choices[0].candidates.size();
    if (i < 200) decided = hash_of(decision, decided);
    marquee::decision::Decider::forget_candidates(decision);  // As the server does.
  }
  std::ranges::sort(times);
  return {times[times.size() / 2], times[times.size() * 99 / 100], candidates / decisions, decided};
}

}  // namespace

int main() {
  fmt::print("{:>8} {:>10} {:>10} {:>8} {:>8} {:>16}\n", "ads", "placements", "candidates", "p50 us", "p99 us",
             "decided");
  for (const std::size_t ads : {2'000U, 20'000U, 100'000U}) {
    Site site(ads);
    for (const std::size_t placements : {1U, 2U, 3U, 5U, 10U, 20U}) {
      if (ads > 2'000 && placements != 1 && placements != 3) continue;
      const auto figures = measure(site, ads, placements);
      fmt::print("{:>8} {:>10} {:>10} {:>8.1f} {:>8.1f} {:016x}\n", ads, placements, figures.candidates, figures.p50_us,
                 figures.p99_us, figures.decided);
      std::fflush(stdout);
      if (ads == 2'000 && placements == 3)
        fmt::print("FIGURE decision_learned_p50_us {:.1f} us <=50\n", figures.p50_us);
    }
  }
}
