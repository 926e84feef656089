// A small world whose values are known: ads that are clicked with fixed probabilities, shown by a policy that is known.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "marquee/evaluation/decision_log.h"

namespace marquee::evaluation {

class SyntheticWorld {
 public:
  SyntheticWorld(std::vector<double> click_probability, std::vector<double> logging, std::uint64_t seed)
      : click_probability_(std::move(click_probability)), logging_(std::move(logging)), engine_(seed) {}

  DecisionLog log(std::size_t decisions) {
    DecisionLog log;
    log.positions = {"1"};
    for (std::size_t ad = 0; ad < logging_.size(); ++ad) log.ads.push_back(std::to_string(ad));
    for (std::size_t i = 0; i < decisions; ++i) {
      double left = uniform();
      std::uint32_t ad = 0;
      while (ad + 1 < logging_.size() && left >= logging_[ad]) left -= logging_[ad++];
      log.ad.push_back(ad);
      log.position.push_back(0);
      log.propensity.push_back(logging_[ad]);
      log.reward.push_back(uniform() < click_probability_[ad] ? 1 : 0);
    }
    return log;
  }

  [[nodiscard]] double value_of(const std::vector<double>& policy) const {
    double value = 0;
    for (std::size_t ad = 0; ad < policy.size(); ++ad) value += policy[ad] * click_probability_[ad];
    return value;
  }

 private:
  double uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }

  std::vector<double> click_probability_;
  std::vector<double> logging_;
  std::mt19937_64 engine_;
};

}  // namespace marquee::evaluation
