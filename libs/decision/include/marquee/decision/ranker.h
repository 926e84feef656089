// Ranker: how the candidates of a placement share the chance to be served. Learning plugs in here.
#pragma once

#include <span>
#include <string_view>

#include "marquee/decision/inventory.h"
#include "marquee/decision/request.h"

namespace marquee::decision {

/// Thread safe.
class Ranker {
 public:
  virtual ~Ranker() = default;
  /// Sets score and propensity of each candidate, of which there is at least one, all of `inventory`. Propensities are
  /// positive and sum to one; scores are what they come from, for people and the log.
  virtual void rank(const Request& request, const Placement& placement, const Inventory& inventory,
                    std::span<Candidate> candidates) const = 0;
  /// Name and version, as the log and events have it. Lives as long as the ranker.
  [[nodiscard]] virtual std::string_view policy() const = 0;
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
