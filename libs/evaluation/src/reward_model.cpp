#include "marquee/evaluation/reward_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "random.h"

namespace marquee::evaluation {
namespace {

struct Sums {
  double decisions = 0;
  double reward = 0;
  double square = 0;
  void add(const Sums& other, double sign) {
    decisions += sign * other.decisions;
    reward += sign * other.reward;
    square += sign * other.square;
  }
};

/// So many decisions at the mean of what is above weigh as much as what was seen. It is the number after which a mean
/// of its own has a standard error as large as itself, variance / mean^2; for clicks, about that which brings one
/// click.
double strength_of(const Sums& all) {
  constexpr double kMost = 10'000;
  if (all.decisions < 1 || all.reward == 0) return kMost;
  const double mean = all.reward / all.decisions;
  const double variance = all.square / all.decisions - mean * mean;
  return std::clamp(variance / (mean * mean), 1.0, kMost);
}

double drawn(const Sums& seen, double towards, double strength) {
  return (seen.reward + strength * towards) / (seen.decisions + strength);
}

std::vector<std::uint32_t> draw_folds(std::size_t n, std::size_t folds, std::uint64_t seed) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  Random random(seed);
  for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  std::vector<std::uint32_t> fold(n);
  for (std::size_t rank = 0; rank < n; ++rank) fold[order[rank]] = static_cast<std::uint32_t>(rank % folds);
  return fold;
}

}  // namespace

RewardModel RewardModel::fit(const DecisionLog& log, std::size_t folds, std::uint64_t seed) {
  RewardModel model;
  model.positions_ = log.positions.size();
  model.ads_ = log.ads.size();
  model.fold_ = draw_folds(log.size(), folds, seed);
  const std::size_t cells = model.positions_ * model.ads_;
  std::vector<Sums> in_fold(folds * cells);
  std::vector<Sums> in_all(cells);
  for (std::size_t i = 0; i < log.size(); ++i) {
    const Sums one{1, log.reward[i], log.reward[i] * log.reward[i]};
    const std::size_t cell = log.position[i] * model.ads_ + log.ad[i];
    in_fold[model.fold_[i] * cells + cell].add(one, 1);
    in_all[cell].add(one, 1);
  }
  model.expected_.resize(folds * cells);
  for (std::size_t fold = 0; fold < folds; ++fold) {
    auto others = in_all;
    Sums total;
    std::vector<Sums> of_ad(model.ads_);
    for (std::size_t cell = 0; cell < cells; ++cell) {
      others[cell].add(in_fold[fold * cells + cell], -1);
      of_ad[cell % model.ads_].add(others[cell], 1);
      total.add(others[cell], 1);
    }
    const double mean = total.decisions > 0 ? total.reward / total.decisions : 0;
    const double strength = strength_of(total);
    for (std::size_t cell = 0; cell < cells; ++cell)
      model.expected_[fold * cells + cell] =
          drawn(others[cell], drawn(of_ad[cell % model.ads_], mean, strength), strength);
  }
  return model;
}

}  // namespace marquee::evaluation
