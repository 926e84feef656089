// What a user has seen of a campaign or an ad changes how likely that one is to be clicked: the same for all campaigns
// and ads, so that it holds for new ones too.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "marquee/decision/inventory.h"
#include "marquee/learning/learner.h"
#include "profile_context.h"

namespace marquee::serving {

/// An inventory's ads by the topics that profiles have of them. Immutable.
class SeenAds {
 public:
  explicit SeenAds(const decision::Inventory& inventory);
  struct Rows {
    std::uint32_t begin = 0, end = 0;
  };
  /// Rows of its ads; none where it is not in the inventory.
  [[nodiscard]] Rows of_campaign(profile::Topic topic) const { return find(campaigns_, topic); }
  [[nodiscard]] Rows of_ad(profile::Topic topic) const { return find(ads_, topic); }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  using ByTopic = std::unordered_map<profile::Topic, Rows>;
  static Rows find(const ByTopic& all, profile::Topic topic) {
    const auto found = all.find(topic);
    return found == all.end() ? Rows{} : found->second;
  }
  ByTopic campaigns_, ads_;
  std::size_t size_;
};

/// The model's weights for what was seen. Immutable.
class Fatigue {
 public:
  explicit Fatigue(const learning::FeatureSpec& features);

  struct Scratch {
    std::vector<std::uint8_t> levels;   ///< By ad's row: of its campaign, and of itself; all 0 between uses.
    std::vector<std::uint32_t> marked;  ///< Rows that are not.
  };
  /// Takes into the attractions of candidates, which are rows of the inventory, what of them was seen. A look at each
  /// candidate, and only where there is something.
  void apply(const decision::Context& context, const SeenAds& ads, const learning::Model& model,
             std::span<const std::uint32_t> candidates, std::span<float> attraction, Scratch& scratch) const;

 private:
  using ByLevel = std::array<std::uint32_t, kSeenLevels>;  ///< Slots of the model's table, before its mask.
  ByLevel campaign_{}, ad_{};
};

}  // namespace marquee::serving
