// What the benchmarks of decisions by the learned policy have in common: a site with a model.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "asked.h"
#include "fatigue.h"
#include "marquee/decision/decider.h"
#include "marquee/learning/learner.h"
#include "marquee/serving/learned_ranker.h"
#include "model_features.h"

namespace marquee::serving {

inline constexpr std::size_t kAdsOfACampaign = 5, kColleges = 60;
inline constexpr std::int64_t kNow = 1'795'737'600'000;

inline std::string college(std::size_t number) { return "college-" + std::to_string(number % kColleges); }

/// Half of the campaigns are for some colleges.
inline std::vector<decision::Campaign> campaigns(std::size_t count) {
  std::vector<decision::Campaign> all;
  for (std::size_t i = 0; i < count; ++i) {
    decision::Campaign one{.id = "campaign-" + std::to_string(i), .status = decision::Status::active};
    one.advertiser = "advertiser-" + std::to_string(i % 100);
    one.category = "category-" + std::to_string(i % 30);
    one.pacing = decision::Pacing::none;
    if (i % 2 == 1) {
      one.targeting = {.kind = decision::Targeting::Kind::is_in, .field = decision::Field::college};
      for (std::size_t k = 0; k < 20; ++k) one.targeting.values.push_back(college(i + k));
    }
    for (std::size_t k = 0; k < kAdsOfACampaign; ++k)
      one.ads.push_back({.id = "ad-" + std::to_string(i) + "-" + std::to_string(k)});
    all.push_back(std::move(one));
  }
  return all;
}

/// A site whose ads have a model: of 20,000 impressions, every fiftieth clicked.
struct Site {
  explicit Site(std::size_t ads_of_site = 2'000) {
    decider.use(decision::Inventory::compile(campaigns(ads_of_site / kAdsOfACampaign), slots()));
    const auto inventory = decider.inventory();
    std::vector<learning::Ad> ads;
    for (const auto& row : inventory->ads()) ads.push_back(model_ad("bench", row));
    const auto table = std::make_shared<const learning::AdTable>(ranker.features(), ads);
    learning::Learner learner(ranker.features(), {});
    learning::RequestFeatures features(ranker.features());
    std::mt19937_64 random(1);
    for (int i = 0; i < 20'000; ++i) {
      features.clear();
      features.add("college", college(random()));
      features.add("page", "home");
      describe_place(features, kNow, names_of_slots[random() % 3]);
      features.compile();
      const auto rows = features.rows();
      static_cast<void>(
          learner.learn({.rows = std::make_shared<const std::vector<learning::Row>>(rows.begin(), rows.end()),
                         .ad = table->ad(random() % ads.size()),
                         .position = 0,
                         .time_s = 0},
                        i % 50 == 0 ? 1 : 0));
    }
    ranker.use(
        {{inventory, *learning::Scorer::bind(learner.model(), table), std::make_shared<const SeenAds>(*inventory)}}, 1);
  }

  [[nodiscard]] std::vector<decision::Slot> slots() {
    std::vector<decision::Slot> all;
    for (const auto& one : names_of_slots) all.push_back({.id = one});
    return all;
  }

  /// Of at most 20.
  Asked& ask(std::size_t placements) {
    asked = {};
    ++serial;
    name = college(serial);
    auto& request = asked.request;
    request.id = decision::make_decision_id();
    request.context.time_ms = kNow;
    request.context.add(decision::Field::page, "home");
    request.context.add(decision::Field::college, name);
    request.context.add(decision::Field::program, "engineering");
    request.context.add(decision::Field::year, "2");
    request.context.add(decision::Field::device, "desktop");
    request.context.add(decision::Field::search_term, "law");
    request.user_key = serial;
    for (std::size_t i = 0; i < placements; ++i)
      request.placements.push_back({.slot = names_of_slots[i], .position = static_cast<std::uint8_t>(i + 1)});
    asked.event.site_id = "bench";
    asked.event.college_id = name;
    asked.event.device = "desktop";
    return asked;
  }

  std::vector<std::string> names_of_slots = [] {
    std::vector<std::string> names;
    for (int i = 1; i <= 20; ++i) names.push_back("slot-" + std::to_string(i));
    return names;
  }();
  LearnedRanker ranker;
  decision::Decider decider{ranker, Millis(300'000)};
  Asked asked;
  std::string name;
  std::uint64_t serial = 0;
};

}  // namespace marquee::serving
