#pragma once

#include <algorithm>
#include <cmath>

#include "marquee/learning/learner.h"

namespace marquee::learning {

inline double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
inline double logit(double p) { return std::log(p / (1 - p)); }

inline Prediction predicted(double attraction, double examination) {
  return {attraction, examination, std::clamp(examination * attraction, 1e-7, 0.999)};
}

/// Value of the ad that a row's slot depends on; 0 for a row of a single slot.
inline std::uint32_t column_value(const Row& row, const AdFeatures& ad) {
  return row.field == kNoAdField ? 0 : ad.values[row.field];
}

}  // namespace marquee::learning
