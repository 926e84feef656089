// Ranks by the click model, and explores.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "marquee/decision/inventory.h"
#include "marquee/decision/ranker.h"
#include "marquee/learning/exploration.h"
#include "marquee/learning/features.h"
#include "marquee/learning/published.h"
#include "marquee/learning/scorer.h"

namespace marquee::serving {

class Fatigue;
class SeenAds;

/// A candidate's score is its attraction: the chance of a click where it is looked at. Chances are shared out by
/// exploration (learning/exploration.h), and are exact. Where they are auctioned, exploration goes by their eCPM: that
/// chance at the placement's position times the bid of a click, or the bid of a thousand impressions. A decision is
/// ranked by one version, "learned-<number>" ("learned-ecpm-<number>" in an auction); where none is published for its
/// inventory yet, all candidates have the same chance ("uniform-1"). Thread safe.
class LearnedRanker final : public decision::Ranker {
 public:
  /// `options` must have passed learning::check().
  explicit LearnedRanker(decision::Auction auction = decision::Auction::none,
                         const learning::ExplorationOptions& options = {});
  ~LearnedRanker() override;
  LearnedRanker(const LearnedRanker&) = delete;
  LearnedRanker& operator=(const LearnedRanker&) = delete;

  void rank(const decision::Request& request, const decision::Placement& placement,
            const decision::Inventory& inventory, std::span<decision::Candidate> candidates) const override;
  /// What comes before a version's number.
  [[nodiscard]] std::string_view policy() const override {
    return auction_ == decision::Auction::none ? "learned" : "learned-ecpm";
  }
  [[nodiscard]] std::shared_ptr<const decision::Ranker> current(const decision::Inventory& inventory) const override;
  [[nodiscard]] decision::Auction auction() const override { return auction_; }
  /// As it was learned of its position, and as its slot's definition says.
  [[nodiscard]] double examination(const decision::Placement& placement,
                                   const decision::Inventory& inventory) const override;

  /// What the model looks at of a request, an ad and where it stands.
  [[nodiscard]] const learning::FeatureSpec& features() const { return features_; }

  /// By inventory, whose ads are the scorer's in the same order.
  struct Ranking {
    std::shared_ptr<const decision::Inventory> inventory;
    std::shared_ptr<const learning::Scorer> scorer;
    std::shared_ptr<const SeenAds> seen = {};  ///< Of the inventory; null: what was seen does not count.
  };
  /// Decisions from now on are ranked by these.
  void use(std::vector<Ranking> rankings, std::uint64_t version);

 private:
  class Version;
  decision::Auction auction_;
  learning::FeatureSpec features_;
  std::unique_ptr<const Fatigue> fatigue_;
  learning::ExplorationOptions options_;
  std::shared_ptr<const Version> none_;  ///< Of inventories for which nothing is published.
  learning::Published<std::vector<std::shared_ptr<const Version>>> versions_;
};

}  // namespace marquee::serving
