// FTRL-Proximal with per-coordinate rates, L1 and L2 (McMahan et al., "Ad Click Prediction: a View from the Trenches",
// KDD 2013, algorithm 1).
#pragma once

#include <cmath>

namespace marquee::learning {

struct FtrlOptions {
  float alpha = 0.2F;  ///< Rate of learning.
  float beta = 1;      ///< Slows the first steps of a coordinate.
  float l1 = 0.1F;     ///< Weights stay 0 until this much gradient speaks for them.
  float l2 = 2;        ///< Pulls weights to 0.
};

/// z: gradients less what the steps so far answered; n: sum of squared gradients, which is also an estimate of the
/// Fisher information that a coordinate has gathered.
struct Coordinate {
  float z = 0;
  float n = 0;
};

/// w = 0 where |z| <= l1, else -(z - sign(z) l1) / ((beta + sqrt n) / alpha + l2).
[[nodiscard]] inline float ftrl_weight(const FtrlOptions& options, const Coordinate& at) {
  const float excess = std::abs(at.z) - options.l1;
  if (excess <= 0) return 0;
  return std::copysign(excess, -at.z) / ((options.beta + std::sqrt(at.n)) / options.alpha + options.l2);
}

/// One step against gradient g, where the coordinate's weight was w.
inline void ftrl_step(const FtrlOptions& options, Coordinate& at, float w, float g) {
  const float n = at.n + g * g;
  at.z += g - (std::sqrt(n) - std::sqrt(at.n)) / options.alpha * w;
  at.n = n;
}

/// Makes what the coordinate has gathered count `keep` times as much: its weight stays, its next steps are larger.
inline void ftrl_forget(const FtrlOptions& options, Coordinate& at, float keep) {
  const float w = ftrl_weight(options, at);
  at.n *= keep;
  if (w != 0)
    at.z = -(w * ((options.beta + std::sqrt(at.n)) / options.alpha + options.l2) + std::copysign(options.l1, w));
}

}  // namespace marquee::learning
