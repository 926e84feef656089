// What a learned model would choose, for who judges it by logged decisions.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "marquee/learning/exploration.h"
#include "marquee/learning/features.h"

namespace marquee::serving {

/// An ad as decisions of the log tell it.
struct KnownAd {
  std::string id, campaign, category, advertiser;
};

/// A model with its exploration: the policy that would serve if it were published, but that it does not count what a
/// user has seen of an ad, nor what ads bid. Not thread safe.
class ModelPolicy {
 public:
  /// Reads what the learner keeps, or what `marquee learn` wrote. Ads go by their index in `ads`.
  [[nodiscard]] static Result<std::unique_ptr<ModelPolicy>> read(const std::string& path, std::string_view site_id,
                                                                 std::span<const KnownAd> ads,
                                                                 const learning::ExplorationOptions& exploration);
  ~ModelPolicy();

  /// When the last impression or click that it has learned from was. Earlier decisions cannot judge it fairly.
  [[nodiscard]] WallTime learned_until() const;

  struct Situation {
    std::span<const std::pair<std::string, std::string>> context;  ///< Field and value, as the record has them.
    std::int64_t time_ms = 0;
    std::string_view slot_id;
    std::uint64_t seed = 0;  ///< Of the decision.
  };
  /// Writes the chance of each of `candidates` into `out`, which is as long; they sum to one.
  void choose(const Situation& situation, std::span<const std::uint32_t> candidates, std::span<double> out);

 private:
  struct Impl;
  explicit ModelPolicy(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace marquee::serving
