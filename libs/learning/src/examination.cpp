#include "marquee/learning/examination.h"

namespace marquee::learning {
namespace {

// Each continues where the last refit ended.
constexpr int kRounds = 3;

}  // namespace

void PositionFit::put(const Leaf& leaf) {
  place_[leaf.path.ad] = leaves_.size();
  leaves_.push_back(leaf);
}

void PositionFit::add(const PriorPath& path, std::size_t position, double clicks, double lift) {
  position = std::min(position, kMaxPositions - 1);
  clicks_[position] += clicks;
  const auto [at, is_new] = place_.try_emplace(path.ad, leaves_.size());
  if (is_new) leaves_.push_back({.path = path, .lifted = {}});
  leaves_[at->second].lifted[position] += lift;
}

void PositionFit::refit(Priors& priors, Examination& examination) const {
  for (int round = 0; round < kRounds; ++round) {
    std::array<double, kMaxPositions> attraction{};
    for (const auto& leaf : leaves_) {
      const double rate = priors.rate(leaf.path).mean;
      for (std::size_t k = 0; k < kMaxPositions; ++k) attraction[k] += rate * leaf.lifted[k];
    }
    for (std::size_t k = 1; k < kMaxPositions; ++k)
      examination.set(k, (clicks_[k] + prior_clicks_) / (attraction[k] + prior_clicks_ / Examination::prior(k)));
    priors.clear_exposure();
    for (const auto& leaf : leaves_) {
      double exposure = 0;
      for (std::size_t k = 0; k < kMaxPositions; ++k) exposure += examination.at(k) * leaf.lifted[k];
      priors.add(leaf.path, 0, exposure);
    }
  }
}

void PositionFit::decay(double keep) {
  for (auto& clicks : clicks_) clicks *= keep;
  for (auto& leaf : leaves_)
    for (auto& lifted : leaf.lifted) lifted *= keep;
}

}  // namespace marquee::learning
