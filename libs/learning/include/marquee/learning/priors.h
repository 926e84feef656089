// What is known of an ad beyond its own impressions: rates of its campaign, category and site, each shrunk to the one
// above. Gamma-Poisson, which is Beta-binomial for rates as low as those of clicks, but takes fractional exposure:
//
//   rate(node) = (clicks + k) / (exposure + k / rate(parent)),     k = what the parent is worth, in clicks
//
// Exposure is the clicks that a rate of 1 would have led to: the examination of the position times how much the context
// lifts the rate (clicks over expected clicks: Zhang, Jones, "Comparing Click Logs and Editorial Labels", 2007), so
// that neither good positions nor good pages pass for good ads.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "marquee/learning/features.h"

namespace marquee::learning {

struct PriorOptions {
  double site_rate = 0.01;  ///< Of a site that nothing is known of; in (0, 1).
  double site_clicks = 1;   ///< What each level's prior is worth.
  double category_clicks = 10;
  double campaign_clicks = 5;
  double ad_clicks = 1;  ///< Little: with 3, an ad far better than its campaign was at times found too late (README).
};

/// A rate and how sure it is.
struct Rate {
  double mean = 0;
  double clicks = 0;  ///< Shape of the Gamma: the relative standard deviation is 1 / sqrt(clicks).
};

/// Not thread safe; a copy is a snapshot.
class Priors {
 public:
  struct Node {
    double clicks = 0;
    double exposure = 0;
  };

  explicit Priors(const PriorOptions& options) : options_(options) {}

  /// An ad that was never seen has its campaign's rate, and so on up.
  [[nodiscard]] Rate rate(const PriorPath& path) const;
  /// Adds to the ad and to all above it.
  void add(const PriorPath& path, double clicks, double exposure);
  /// Makes all that was counted so far count `keep` times as much.
  void decay(double keep);
  void clear_exposure();

  [[nodiscard]] const std::unordered_map<std::uint64_t, Node>& nodes() const { return nodes_; }
  void put(std::uint64_t key, const Node& node) { nodes_[key] = node; }

 private:
  PriorOptions options_;
  std::unordered_map<std::uint64_t, Node> nodes_;
};

}  // namespace marquee::learning
