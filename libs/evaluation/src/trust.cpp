#include "trust.h"

#include <fmt/format.h>

#include <cmath>

namespace marquee::evaluation {
namespace {

// Below it the sum is carried by so few rewards that it is skewed, and intervals on both sides alike are too short
// below.
constexpr double kFewRewarded = 10;
// That much of the weights taken away moves a value by about as much, always downwards where rewards are not negative.
constexpr double kMuchClipped = 0.05;

std::string percent(double share) { return fmt::format("{:.3g} %", share * 100); }

void judge_weights(const DecisionLog& log, const TrustLimits& limits, const Evaluation& evaluation,
                   std::vector<std::string>& refusals) {
  const auto& weights = evaluation.weights;
  const auto n = static_cast<double>(log.size());
  if (weights.effective_decisions < limits.least_effective_decisions)
    refusals.push_back(fmt::format("the {} decisions count as {:.3g} under this policy, fewer than {}", log.size(),
                                   weights.effective_decisions, limits.least_effective_decisions));
  if (weights.effective_decisions < limits.least_effective_share * n)
    refusals.push_back(fmt::format("only {} of the decisions count under this policy, less than {}",
                                   percent(weights.effective_decisions / n), percent(limits.least_effective_share)));
  if (weights.max_share > limits.most_weight_share)
    refusals.push_back(fmt::format("one decision has {} of the weight, more than {}", percent(weights.max_share),
                                   percent(limits.most_weight_share)));
  // Weights that are all the same have no error; what is left of rounding must not count as a difference.
  const double allowed = limits.mean_weight_errors * weights.mean_error + 1e-9;
  if (!(std::abs(weights.mean - 1) <= allowed))
    refusals.push_back(fmt::format(
        "the mean weight is {:.4g} -+ {:.2g} and must be 1: the logged propensities are not those of the policy that "
        "made the log, or it cannot show what this policy does",
        weights.mean, weights.mean_error));
  if (evaluation.unsupported > limits.most_unsupported)
    refusals.push_back(
        fmt::format("{} of the policy's probability is on ads that the log never shows there, more than {}",
                    percent(evaluation.unsupported), percent(limits.most_unsupported)));
}

/// Candidates' propensities are a distribution.
void judge_propensities(const DecisionLog& log, const TrustLimits& limits, std::vector<std::string>& refusals) {
  if (!log.names_candidates()) return;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < log.size(); ++i) {
    double sum = 0;
    for (auto k = log.candidates_begin[i]; k < log.candidates_begin[i + 1]; ++k) sum += log.candidate_propensity[k];
    if (std::abs(sum - 1) > limits.propensity_sum_error) ++wrong;
  }
  if (wrong > 0) refusals.push_back(fmt::format("the candidates' propensities of {} decisions do not sum to 1", wrong));
}

}  // namespace

bool is_model_contradicted(const Evaluation& evaluation) {
  return std::abs(evaluation.model_miss) > 1.96 * evaluation.model_miss_error;
}

void judge(const DecisionLog& log, const TrustLimits& limits, Evaluation& evaluation) {
  judge_weights(log, limits, evaluation, evaluation.refusals);
  judge_propensities(log, limits, evaluation.refusals);
  if (evaluation.effective_rewarded < kFewRewarded)
    evaluation.cautions.push_back(
        fmt::format("what was earned counts as {:.2g} rewarded decisions: intervals are too short, above all upwards",
                    evaluation.effective_rewarded));
  if (is_model_contradicted(evaluation))
    evaluation.cautions.push_back(fmt::format(
        "dm is wrong: under this policy rewards differ from what its model expects by {:.2g} -+ {:.2g}, which its "
        "interval does not show",
        evaluation.model_miss, evaluation.model_miss_error));
  for (const auto& estimate : evaluation.estimates) {
    if (estimate.estimator != Estimator::clipped_ipw || !(evaluation.weights.mean > 0)) continue;
    const double lost = 1 - estimate.weights->mean / evaluation.weights.mean;
    if (lost > kMuchClipped)
      evaluation.cautions.push_back(
          fmt::format("clipping at {:.4g} takes {} of the weights away, and clipped-ipw with them", evaluation.clip,
                      percent(lost)));
  }
}

}  // namespace marquee::evaluation
