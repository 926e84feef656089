// How likely a position is looked at, beside how attractive what stands there is: the position-based model,
// p(click) = examination(position) * attraction(context, ad) (Richardson et al., "Predicting Clicks", 2007; Craswell et
// al., 2008). Relative to position 0, whose examination is 1; a position that is seen better may be above 1.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "marquee/learning/priors.h"

namespace marquee::learning {

inline constexpr std::size_t kMaxPositions = 32;

/// What is known of the positions. Positions from 31 on are one.
class Examination {
 public:
  Examination() {
    for (std::size_t i = 0; i < kMaxPositions; ++i) factors_[i] = prior(i);
  }
  [[nodiscard]] static double prior(std::size_t position) {
    return 1 / std::log2(static_cast<double>(std::min(position, kMaxPositions - 1)) + 2);
  }
  [[nodiscard]] double at(std::size_t position) const { return factors_[std::min(position, kMaxPositions - 1)]; }
  /// Ignored for position 0.
  void set(std::size_t position, double factor) {
    if (position > 0 && position < kMaxPositions) factors_[position] = factor;
  }

 private:
  std::array<double, kMaxPositions> factors_;
};

/// Tells positions from ads: which ad stood where how often, and the fit of both.
///
/// With N(ad, k) the impressions of an ad at position k, each times its context's lift, clicks are Poisson of mean
/// rate(ad) examination(k) N(ad, k), whose likelihood is maximal where
///
///   rate(ad) = (clicks of ad + prior) / (sum over k of examination(k) N(ad, k) + prior),
///   examination(k) = (clicks at k + m) / (sum over ads of rate(ad) N(ad, k) + m / prior(k)),
///
/// found by going from one to the other (iterative proportional fitting). Running sums of exposure would keep the
/// mistakes of their beginnings: where a ranking puts good ads first, they would be unlearned as slowly as a small
/// power of time. Not thread safe; deterministic.
class PositionFit {
 public:
  struct Leaf {
    PriorPath path;
    std::array<double, kMaxPositions> lifted{};  ///< N.
  };

  explicit PositionFit(double prior_clicks = 20) : prior_clicks_(prior_clicks) {}

  void add(const PriorPath& path, std::size_t position, double clicks, double lift);
  /// Some rounds of the fit, from where both stand. Exposures of all nodes are made anew.
  void refit(Priors& priors, Examination& examination) const;
  /// Makes all that was counted so far count `keep` times as much.
  void decay(double keep);

  [[nodiscard]] const std::vector<Leaf>& leaves() const { return leaves_; }
  [[nodiscard]] const std::array<double, kMaxPositions>& clicks() const { return clicks_; }
  void put(const std::array<double, kMaxPositions>& clicks) { clicks_ = clicks; }
  void put(const Leaf& leaf);

 private:
  double prior_clicks_;
  std::array<double, kMaxPositions> clicks_{};
  std::vector<Leaf> leaves_;  // In the order first seen: sums are the same each time.
  std::unordered_map<std::uint64_t, std::size_t> place_;
};

}  // namespace marquee::learning
