// Follow the regularized leader, proximally (McMahan, "A Survey of Algorithms and Analysis for Adaptive Online
// Learning", 2017; with L1 as in McMahan et al., "Ad Click Prediction: a View from the Trenches", KDD 2013), where what
// regularizes is the information that a coordinate has gathered and the precision of its prior:
//
//   w = -z / (n + precision)
//
// With n the Fisher information this is Laplace's approximation of the posterior of a weight under the prior
// Normal(0, 1 / precision), each coordinate on its own, one example after the other. Steps fall as 1 / n and not, as
// those of KDD 2013, as 1 / sqrt n: clicks are few, and each weight then says what all of them together say.
#pragma once

#include <cmath>
#include <cstdint>

namespace marquee::learning {

struct FtrlOptions {
  float precision = 10;  ///< Of all weights, until a term's own tell another (term_precisions.h).
  float worth = 5;       ///< How many well known weights that first precision counts as.
  float l1 = 0;          ///< Weights stay 0 until this much gradient speaks for them.
};

/// z: gradients less what the steps so far answered; n: information.
struct Coordinate {
  float z = 0;
  float n = 0;
  std::uint8_t term = 0;  ///< Whose weight it is; where several share it, the last one learned.
};

/// w = 0 where |z| <= l1, else -(z - sign(z) l1) / (n + precision).
[[nodiscard]] inline float ftrl_weight(const Coordinate& at, float precision, float l1) {
  const float excess = std::abs(at.z) - l1;
  if (excess <= 0) return 0;
  return std::copysign(excess, -at.z) / (at.n + precision);
}

/// One step against gradient g of an example that tells `information`, where the coordinate's weight was w.
inline void ftrl_step(Coordinate& at, float w, float g, float information) {
  at.z += g - information * w;
  at.n += information;
}

/// Makes what the coordinate has gathered count `keep` times as much: its weight stays, its next steps are larger.
inline void ftrl_forget(Coordinate& at, float precision, float l1, float keep) {
  const float w = ftrl_weight(at, precision, l1);
  at.n *= keep;
  if (w != 0) at.z = -(w * (at.n + precision) + std::copysign(l1, w));
}

}  // namespace marquee::learning
