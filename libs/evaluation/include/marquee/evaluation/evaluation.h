// The whole of an evaluation: estimates, and whether they can be trusted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/evaluation/decision_log.h"
#include "marquee/evaluation/estimators.h"
#include "marquee/evaluation/policy.h"
#include "marquee/evaluation/reward_model.h"

namespace marquee::evaluation {

/// When estimates are refused. The reasons for the numbers: README.md, "When an estimate is refused".
struct TrustLimits {
  double least_effective_decisions = 50;
  double least_effective_share = 0.01;  ///< Of all decisions.
  double most_weight_share = 0.1;       ///< Of one decision in all weights.
  double mean_weight_errors = 3.29;     ///< Standard errors by which the mean weight may differ from 1 (99.9 %).
  double most_unsupported = 0.05;       ///< Of the policy's probability, on what the log never shows there.
  double propensity_sum_error = 1e-3;   ///< By which candidates' propensities may miss 1.
};

struct Options {
  std::optional<double> clip = std::nullopt;       ///< Default: the root of the number of decisions.
  std::optional<double> switch_at = std::nullopt;  ///< The same.
  std::size_t bootstrap = 0;
  std::size_t folds = 3;
  std::uint64_t seed = 1;
  TrustLimits limits = {};
};

struct Evaluation {
  double logged_value = 0;  ///< Mean reward: what the logging policy earned.
  double logged_error = 0;  ///< Its standard error.
  double least_propensity = 0;
  double greatest_propensity = 0;
  WeightSummary weights;          ///< Before any clipping.
  double effective_rewarded = 0;  ///< Kish's number over weight * reward: how many rewarded decisions carry the value.
  double model_miss = 0;          ///< Mean of weight * (reward - expected): by how much the log says dm is too low.
  double model_miss_error = 0;    ///< Its standard error.
  double unsupported = 0;         ///< Mean probability that the policy gives to what the log never shows there.
  double clip = 0;
  double switch_at = 0;
  std::vector<Estimate> estimates;    ///< In the order of kEstimators.
  std::vector<std::string> refusals;  ///< Why the estimates cannot be trusted; empty where they can.
  std::vector<std::string> cautions;  ///< What to bear in mind although they can.
  RewardModel model;
  std::vector<double> target;  ///< Of each decision: Sample::target, q_chosen, q_target.
  std::vector<double> q_chosen;
  std::vector<double> q_target;
};

/// Action::reject where nothing can be computed at all: fewer decisions than folds, or a decision for which the policy
/// chooses none of the candidates.
[[nodiscard]] Result<Evaluation> evaluate(const DecisionLog& log, const Policy& policy, const Options& options);

/// Whether the log contradicts the reward model under the evaluated policy (95 %), and so dm, whose interval cannot
/// tell.
[[nodiscard]] bool is_model_contradicted(const Evaluation& evaluation);

/// Writes what the estimates were computed from, so that others can compute them: one JSON object that holds the ads,
/// the positions and the reward model by fold, position and ad, then one for each decision.
[[nodiscard]] Result<void> write_dump(const std::string& path, const DecisionLog& log, const Evaluation& evaluation);

}  // namespace marquee::evaluation
