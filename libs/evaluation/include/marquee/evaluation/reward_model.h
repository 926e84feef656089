// What reward to expect of an ad at a position: the model of the direct and the doubly robust estimators.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "marquee/evaluation/decision_log.h"

namespace marquee::evaluation {

/// Cross-fitted: the expectations that are used for a decision come from the decisions of the other folds, so that no
/// decision is judged by a model that has seen its reward. Immutable.
class RewardModel {
 public:
  /// Means by ad and position, drawn towards the ad's mean, and that towards the mean of all: README.md, "Reward
  /// model". `folds` >= 2; which decision is in which is drawn with `seed`.
  [[nodiscard]] static RewardModel fit(const DecisionLog& log, std::size_t folds, std::uint64_t seed);

  [[nodiscard]] std::size_t folds() const { return expected_.size() / (positions_ * ads_); }
  /// Of decision `i`.
  [[nodiscard]] std::uint32_t fold(std::size_t i) const { return fold_[i]; }
  /// By the model that has not seen `fold`.
  [[nodiscard]] double expected(std::size_t fold, std::size_t position, std::size_t ad) const {
    return expected_[(fold * positions_ + position) * ads_ + ad];
  }

 private:
  std::vector<std::uint32_t> fold_;
  std::vector<double> expected_;
  std::size_t positions_ = 0;
  std::size_t ads_ = 0;
};

}  // namespace marquee::evaluation
