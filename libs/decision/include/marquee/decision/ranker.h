// Ranker: how the candidates of a placement share the chance to be served. Learning plugs in here.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "marquee/decision/inventory.h"
#include "marquee/decision/request.h"

namespace marquee::decision {

/// Whether candidates stand against each other by what they pay, and what the chosen one does.
enum class Auction : std::uint8_t {
  none,          ///< By the chance of a click alone; it pays its bid.
  first_price,   ///< By the chance of a click times the bid; it pays its bid.
  second_price,  ///< The same; it pays the least bid with which it would have stood where it stands.
};

/// The other tiers are sold before, at a price that is agreed, or pay nothing; so is a share of voice.
[[nodiscard]] inline bool is_auctioned(const Campaign& campaign) {
  return campaign.tier == Tier::standard && campaign.share_of_voice == 0;
}

/// Thread safe.
class Ranker {
 public:
  virtual ~Ranker() = default;
  /// Sets score and propensity of each candidate, of which there is at least one, all of `inventory`, of one tier, and
  /// all of them auctioned or none. Propensities are positive and sum to one; scores are what they come from, for
  /// people and the log; values are set in an auction alone.
  virtual void rank(const Request& request, const Placement& placement, const Inventory& inventory,
                    std::span<Candidate> candidates) const = 0;
  /// Name and version, as the decisions' log has it. Lives as long as the ranker.
  [[nodiscard]] virtual std::string_view policy() const = 0;
  [[nodiscard]] virtual Auction auction() const { return Auction::none; }
  /// How likely it is that the placement is looked at, as against others of its page.
  [[nodiscard]] virtual double examination(const Placement& placement, const Inventory& inventory) const {
    static_cast<void>(placement);
    static_cast<void>(inventory);
    return 1;
  }
  /// By what all placements of a decision are ranked from now on, where that changes while this one lives: a version,
  /// which names itself. Null: by this one.
  [[nodiscard]] virtual std::shared_ptr<const Ranker> current(const Inventory&) const { return nullptr; }
};

/// Each candidate with the same chance; knows nothing of them.
class UniformRanker final : public Ranker {
 public:
  void rank(const Request&, const Placement&, const Inventory&, std::span<Candidate> candidates) const override {
    for (auto& one : candidates) {
      one.score = 1;
      one.propensity = 1.0F / static_cast<float>(candidates.size());
    }
  }
  [[nodiscard]] std::string_view policy() const override { return "uniform-1"; }
};

}  // namespace marquee::decision
