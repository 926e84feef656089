// A small world of ads and readers whose truth is known, and random numbers that are the same everywhere.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "marquee/learning/learner.h"
#include "mix.h"

namespace marquee::learning {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : seed_(seed) {}
  double unit() { return learning::unit(random_bits(seed_, n_++)); }
  bool happens(double p) { return unit() < p; }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(unit() * static_cast<double>(n)); }
  double normal() { return std::sqrt(-2 * std::log(1 - unit())) * std::cos(6.283185307179586 * unit()); }
  double exponential(double mean) { return -mean * std::log(1 - unit()); }

 private:
  std::uint64_t seed_;
  std::uint64_t n_ = 0;
};

inline FeatureSpec spec_of(std::vector<std::string> terms) {
  FeatureOptions options;
  options.terms = std::move(terms);
  return *FeatureSpec::parse(options);
}

inline LearnerOptions small(unsigned slots_log2) {
  LearnerOptions options;
  options.slots_log2 = slots_log2;
  return options;
}

/// Ads of one site, five to a campaign, campaigns over categories in turn.
inline std::vector<Ad> make_ads(std::size_t count, std::size_t categories = 10) {
  std::vector<Ad> ads;
  for (std::size_t i = 0; i < count; ++i) {
    const auto campaign = i / 5;
    ads.push_back({.id = "ad" + std::to_string(i),
                   .site = "site",
                   .campaign = "campaign" + std::to_string(campaign),
                   .category = "category" + std::to_string(campaign % categories),
                   .advertiser = "advertiser" + std::to_string(campaign / 3),
                   .attributes = {}});
  }
  return ads;
}

inline std::shared_ptr<const std::vector<Row>> rows_of(const RequestFeatures& request) {
  return std::make_shared<const std::vector<Row>>(request.rows().begin(), request.rows().end());
}

inline double logistic(double x) { return 1 / (1 + std::exp(-x)); }

/// The value that a chi-square statistic of `degrees` exceeds with probability 1e-4 where the hypothesis holds
/// (Wilson, Hilferty, 1931).
inline double chi_square_limit(std::size_t degrees) {
  const double k = static_cast<double>(degrees), z = 3.719;
  const double root = 1 - 2 / (9 * k) + z * std::sqrt(2 / (9 * k));
  return k * root * root * root;
}

}  // namespace marquee::learning
