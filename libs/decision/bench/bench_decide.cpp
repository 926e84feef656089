// The engine alone: one decision among many ads, on one thread. Prints FIGURE decision_engine_p50_us (2,000 ads, a page
// of three placements), and how it scales with ads and placements.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "marquee/decision/decider.h"

namespace {

using namespace marquee;
using namespace marquee::decision;
using SteadyClock = std::chrono::steady_clock;

constexpr std::int64_t kNow = 1'795'737'600'000;
constexpr int kColleges = 40, kCategories = 30, kAdsOfACampaign = 5;

class Load {
 public:
  explicit Load(std::uint64_t seed) : random_(seed) {
    for (int i = 0; i < std::max(kColleges, kCategories); ++i) names_.push_back("name-" + std::to_string(i));
  }

  /// Half of the campaigns are for everybody, the others for some colleges, categories or both; a third have caps, half
  /// a daily budget.
  std::vector<Campaign> campaigns(std::size_t ads) {
    std::vector<Campaign> all;
    for (std::size_t i = 0; i < ads / kAdsOfACampaign; ++i) {
      Campaign one{.id = "c" + std::to_string(i), .status = Status::active, .advertiser = name(kCategories)};
      std::vector<Targeting> parts;
      if (below(3) == 0) parts.push_back(is_in(Field::college, kColleges));
      if (below(3) == 0) parts.push_back(is_in(Field::course_category, kCategories));
      if (!parts.empty()) one.targeting = {.kind = Targeting::Kind::all, .parts = parts};
      if (below(3) == 0) one.caps = {{.scope = CapScope::campaign, .count = 1'000'000}};
      if (below(2) == 0) one.daily.impressions = 1'000'000'000;
      one.pacing = Pacing::none;
      for (int k = 0; k < kAdsOfACampaign; ++k) one.ads.push_back({.id = one.id + "-" + std::to_string(k)});
      all.push_back(std::move(one));
    }
    return all;
  }

  Request request(std::size_t placements) {
    Request one{.id = {random_(), random_()},
                .context = {.time_ms = kNow + static_cast<std::int64_t>(below(3'600'000))}};
    one.context.add(Field::page, "home");
    one.context.add(Field::college, name(kColleges));
    one.context.add(Field::course_category, name(kCategories));
    one.context.add(Field::device, "phone");
    one.user_key = 1 + below(1'000'000);
    for (std::size_t i = 0; i < placements; ++i) one.placements.push_back({.slot = "top"});
    return one;
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }
  const std::string& name(int of) { return names_[below(static_cast<std::size_t>(of))]; }
  Targeting is_in(Field field, int of) {
    return {.kind = Targeting::Kind::is_in, .field = field, .values = {name(of), name(of), name(of)}};
  }

  std::mt19937_64 random_;
  std::vector<std::string> names_;
};

struct Figures {
  double p50_us = 0, p99_us = 0;
  std::size_t candidates = 0;
};

Figures measure(std::size_t ads, std::size_t placements) {
  const std::size_t decisions = std::max<std::size_t>(200, 8'000'000 / (ads * placements));
  Load load(1);
  UniformRanker ranker;
  Decider decider(ranker, Millis(300'000));
  decider.use(Inventory::compile(load.campaigns(ads), {{.id = "top"}}));
  std::vector<Request> requests;
  for (std::size_t i = 0; i < decisions; ++i) requests.push_back(load.request(placements));
  std::vector<double> times;
  std::size_t candidates = 0;
  for (const auto& request : requests) {
    const auto begin = SteadyClock::now();
    auto decision = decider.decide(request);
    times.push_back(std::chrono::duration<double, std::micro>(SteadyClock::now() - begin).count());
    candidates += decision.choices[0].candidates.size();
    Decider::forget_candidates(decision);  // As the server does.
  }
  std::ranges::sort(times);
  return {times[times.size() / 2], times[times.size() * 99 / 100], candidates / requests.size()};
}

}  // namespace

int main() {
  fmt::print("{:>8} {:>10} {:>10} {:>8} {:>8}\n", "ads", "placements", "candidates", "p50 us", "p99 us");
  for (const auto& [ads, placements] : {std::pair<std::size_t, std::size_t>{2'000, 1},
                                        {2'000, 2},
                                        {2'000, 3},
                                        {2'000, 5},
                                        {2'000, 10},
                                        {2'000, 20},
                                        {20'000, 1},
                                        {20'000, 3},
                                        {100'000, 1},
                                        {100'000, 3}}) {
    const auto figures = measure(ads, placements);
    fmt::print("{:>8} {:>10} {:>10} {:>8.1f} {:>8.1f}\n", ads, placements, figures.candidates, figures.p50_us,
               figures.p99_us);
    std::fflush(stdout);
    if (ads == 2'000 && placements == 3) fmt::print("FIGURE decision_engine_p50_us {:.1f} us <=50\n", figures.p50_us);
  }
}
