#include "marquee/evaluation/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "trust.h"

namespace marquee::evaluation {
namespace {

/// Which ads a position shows at all, for logs that do not name the candidates.
std::vector<std::vector<bool>> shown_at(const DecisionLog& log) {
  std::vector<std::vector<bool>> shown(log.positions.size(), std::vector<bool>(log.ads.size(), false));
  for (std::size_t i = 0; i < log.size(); ++i) shown[log.position[i]][log.ad[i]] = true;
  return shown;
}

/// Goes through the decisions with the policy, and fills in what the estimators need of it.
class Walk {
 public:
  Walk(const DecisionLog& log, const Policy& policy, Evaluation& evaluation)
      : log_(log), policy_(policy), evaluation_(evaluation), shown_(shown_at(log)), all_(log.ads.size()) {
    std::iota(all_.begin(), all_.end(), 0U);
  }

  Result<void> decide(std::size_t i) {
    const auto ads = candidates(i);
    std::vector<double> chosen(ads.size());
    if (!policy_.choose(log_, i, ads, chosen))
      return Error::reject(fmt::format("decision {}: the policy gives no candidate any probability", i + 1));
    const auto& model = evaluation_.model;
    const auto fold = model.fold(i);
    double expected = 0;
    double target = 0;
    for (std::size_t k = 0; k < ads.size(); ++k) {
      expected += chosen[k] * model.expected(fold, log_.position[i], ads[k]);
      if (ads[k] == log_.ad[i]) target = chosen[k];
      if (!is_supported(i, k, ads[k])) evaluation_.unsupported += chosen[k] / static_cast<double>(log_.size());
    }
    evaluation_.target.push_back(target);
    evaluation_.q_chosen.push_back(model.expected(fold, log_.position[i], log_.ad[i]));
    evaluation_.q_target.push_back(expected);
    return {};
  }

 private:
  [[nodiscard]] std::span<const std::uint32_t> candidates(std::size_t i) const {
    if (!log_.names_candidates()) return all_;
    const auto begin = log_.candidates_begin[i];
    return std::span(log_.candidate_ad).subspan(begin, log_.candidates_begin[i + 1] - begin);
  }
  [[nodiscard]] bool is_supported(std::size_t i, std::size_t k, std::uint32_t ad) const {
    return log_.names_candidates() ? log_.candidate_propensity[log_.candidates_begin[i] + k] > 0
                                   : shown_[log_.position[i]][ad];
  }

  const DecisionLog& log_;
  const Policy& policy_;
  Evaluation& evaluation_;
  std::vector<std::vector<bool>> shown_;
  std::vector<std::uint32_t> all_;
};

}  // namespace

Result<Evaluation> evaluate(const DecisionLog& log, const Policy& policy, const Options& options) {
  if (log.size() < std::max<std::size_t>(options.folds, 2))
    return Error::reject(fmt::format("{} decisions are too few for {} folds", log.size(), options.folds));
  Evaluation result;
  result.model = RewardModel::fit(log, options.folds, options.seed);
  Walk walk(log, policy, result);
  for (std::size_t i = 0; i < log.size(); ++i)
    if (const auto decided = walk.decide(i); !decided) return decided.error();

  const Sample sample{log.reward, log.propensity, result.target, result.q_chosen, result.q_target};
  const double root = std::sqrt(static_cast<double>(log.size()));
  result.clip = options.clip.value_or(root);
  result.switch_at = options.switch_at.value_or(root);
  result.estimates = estimate_all(sample, {result.clip, result.switch_at, options.bootstrap, options.seed});

  const auto logged = summarize(log.reward);
  result.logged_value = logged.mean;
  result.logged_error = logged.mean_error;
  const auto [least, greatest] = std::ranges::minmax(log.propensity);
  result.least_propensity = least;
  result.greatest_propensity = greatest;
  const auto weights = importance_weights(sample);
  result.weights = summarize(weights);
  auto carried = weights;
  auto missed = weights;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    carried[i] *= std::abs(log.reward[i]);
    missed[i] *= log.reward[i] - result.q_chosen[i];
  }
  result.effective_rewarded = summarize(carried).effective_decisions;
  const auto miss = summarize(missed);
  result.model_miss = miss.mean;
  result.model_miss_error = miss.mean_error;
  judge(log, options.limits, result);
  return result;
}

}  // namespace marquee::evaluation
