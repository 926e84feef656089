// What a policy would have earned, estimated from decisions that another one made. Formulas and sources: README.md.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace marquee::evaluation {

enum class Estimator { ipw, clipped_ipw, snipw, dm, dr, sndr, switch_dr };

inline constexpr std::array kEstimators = {Estimator::ipw, Estimator::clipped_ipw, Estimator::snipw,    Estimator::dm,
                                           Estimator::dr,  Estimator::sndr,        Estimator::switch_dr};

/// "ipw", "clipped-ipw", ...
[[nodiscard]] std::string_view name_of(Estimator estimator);

/// Columns over the same decisions.
struct Sample {
  std::span<const double> reward;
  std::span<const double> propensity;  ///< Of the chosen ad under the logging policy, in (0, 1].
  std::span<const double> target;      ///< Of the chosen ad under the policy that is evaluated, in [0, 1].
  std::span<const double>
      q_chosen;  ///< Reward that a model expects of the chosen ad; it must not have seen this reward.
  std::span<const double> q_target;  ///< Reward that the model expects under the evaluated policy.
};

struct Interval {
  double low = 0;
  double high = 0;
};

/// How evenly weights carry a mean.
struct WeightSummary {
  double mean = 0;
  double mean_error = 0;           ///< Standard error of the mean.
  double effective_decisions = 0;  ///< Kish: (sum w)^2 / sum w^2. 0 where all weights are 0.
  double max = 0;
  double max_share = 0;  ///< Of the largest weight in their sum.
};

[[nodiscard]] WeightSummary summarize(std::span<const double> weights);

/// target / propensity, of each decision.
[[nodiscard]] std::vector<double> importance_weights(const Sample& sample);

struct EstimatorOptions {
  double clip = std::numeric_limits<double>::infinity();  ///< clipped-ipw: larger weights become this one.
  double switch_at =
      std::numeric_limits<double>::infinity();  ///< switch-dr: with larger weights the model alone counts.
  std::size_t bootstrap = 0;                    ///< Resamples; 0: no such interval.
  std::uint64_t seed = 1;                       ///< Of the resamples: the same seed gives the same interval.
};

struct Estimate {
  Estimator estimator = Estimator::ipw;
  double value = 0;
  double standard_error = 0;             ///< By linearization where weights are normalized by their own sum.
  Interval normal;                       ///< 95 %: value -+ 1.96 standard errors.
  std::optional<Interval> bootstrap;     ///< 95 %: percentiles over resampled decisions, the same for every estimator.
  std::optional<WeightSummary> weights;  ///< As this estimator uses them; dm uses none.
};

/// Every estimator, in the order of kEstimators. Pure. Numbers are NaN where they do not exist: normalized estimates
/// when every weight is 0, standard errors of fewer than two decisions. Throws nothing; the columns must have one
/// length.
[[nodiscard]] std::vector<Estimate> estimate_all(const Sample& sample, const EstimatorOptions& options);

}  // namespace marquee::evaluation
