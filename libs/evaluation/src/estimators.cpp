#include "marquee/evaluation/estimators.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "random.h"

namespace marquee::evaluation {
namespace {

constexpr double kNormal95 = 1.959963984540054;

/// Every estimator here is mean(plain) + sum(scaled) / sum(divisor); without divisor the second part is absent.
struct Terms {
  Estimator estimator;
  std::vector<double> plain;
  std::vector<double> scaled;
  std::vector<double> divisor;
  std::vector<double> weights;  ///< That were used; empty for dm.
};

template <class F>
std::vector<double> each(std::size_t n, F f) {
  std::vector<double> result(n);
  for (std::size_t i = 0; i < n; ++i) result[i] = f(i);
  return result;
}

Terms terms_of(Estimator estimator, const Sample& sample, const std::vector<double>& weights,
               const EstimatorOptions& options) {
  const std::size_t n = weights.size();
  const auto& reward = sample.reward;
  const auto residual = [&](std::size_t i) { return reward[i] - sample.q_chosen[i]; };
  const auto model = [&](std::size_t i) { return sample.q_target[i]; };
  const auto nothing = std::vector<double>();
  switch (estimator) {
    case Estimator::ipw:
      return {estimator, each(n, [&](auto i) { return weights[i] * reward[i]; }), nothing, nothing, weights};
    case Estimator::clipped_ipw: {
      auto clipped = each(n, [&](auto i) { return std::min(weights[i], options.clip); });
      return {estimator, each(n, [&](auto i) { return clipped[i] * reward[i]; }), nothing, nothing, clipped};
    }
    case Estimator::snipw:
      return {estimator, std::vector<double>(n, 0.0), each(n, [&](auto i) { return weights[i] * reward[i]; }), weights,
              weights};
    case Estimator::dm:
      return {estimator, each(n, model), nothing, nothing, nothing};
    case Estimator::dr:
      return {estimator, each(n, [&](auto i) { return model(i) + weights[i] * residual(i); }), nothing, nothing,
              weights};
    case Estimator::sndr:
      return {estimator, each(n, model), each(n, [&](auto i) { return weights[i] * residual(i); }), weights, weights};
    case Estimator::switch_dr: {
      auto kept = each(n, [&](auto i) { return weights[i] <= options.switch_at ? weights[i] : 0.0; });
      return {estimator, each(n, [&](auto i) { return model(i) + kept[i] * residual(i); }), nothing, nothing, kept};
    }
  }
  return {};
}

double sum(std::span<const double> values) { return std::accumulate(values.begin(), values.end(), 0.0); }

double standard_error_of_mean(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  if (values.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  const double mean = sum(values) / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / (n - 1) / n);
}

/// Of the ratio sum(scaled) / sum(divisor), decision i moves the estimate by (scaled_i - ratio * divisor_i) /
/// mean(divisor).
Estimate estimate(const Terms& terms) {
  const auto n = static_cast<double>(terms.plain.size());
  Estimate result;
  result.estimator = terms.estimator;
  result.value = sum(terms.plain) / n;
  if (terms.divisor.empty()) {
    result.standard_error = standard_error_of_mean(terms.plain);
  } else {
    const double divisor = sum(terms.divisor);
    const double ratio = sum(terms.scaled) / divisor;
    result.value += ratio;
    result.standard_error = standard_error_of_mean(each(terms.plain.size(), [&](auto i) {
      return terms.plain[i] + (terms.scaled[i] - ratio * terms.divisor[i]) / (divisor / n);
    }));
  }
  const double half = kNormal95 * result.standard_error;
  result.normal = {result.value - half, result.value + half};
  if (!terms.weights.empty()) result.weights = summarize(terms.weights);
  return result;
}

/// The value where decision i was drawn `times[i]` times.
double resampled(const Terms& terms, const std::vector<std::uint32_t>& times) {
  double plain = 0;
  double scaled = 0;
  double divisor = 0;
  const bool is_normalized = !terms.divisor.empty();
  for (std::size_t i = 0; i < times.size(); ++i) {
    plain += times[i] * terms.plain[i];
    if (!is_normalized) continue;
    scaled += times[i] * terms.scaled[i];
    divisor += times[i] * terms.divisor[i];
  }
  return plain / static_cast<double>(times.size()) + (is_normalized ? scaled / divisor : 0);
}

/// Between the two values that the rank falls between, linearly. `sorted` is not empty.
double percentile(const std::vector<double>& sorted, double share) {
  const double rank = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(rank);
  const auto above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (rank - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

void add_bootstrap(const std::vector<Terms>& all, const EstimatorOptions& options, std::vector<Estimate>& estimates) {
  const std::size_t n = all.front().plain.size();
  std::vector<std::vector<double>> values(all.size());
  Random random(options.seed);
  for (std::size_t round = 0; round < options.bootstrap; ++round) {
    std::vector<std::uint32_t> times(n);
    for (std::size_t i = 0; i < n; ++i) ++times[random.below(n)];
    for (std::size_t k = 0; k < all.size(); ++k) values[k].push_back(resampled(all[k], times));
  }
  for (std::size_t k = 0; k < all.size(); ++k) {
    // A resample that drew no decision of weight has no normalized value, and says nothing of its spread.
    std::erase_if(values[k], [](double value) { return std::isnan(value); });
    if (values[k].empty()) continue;
    std::ranges::sort(values[k]);
    estimates[k].bootstrap = Interval{percentile(values[k], 0.025), percentile(values[k], 0.975)};
  }
}

}  // namespace

std::string_view name_of(Estimator estimator) {
  switch (estimator) {
    case Estimator::ipw:
      return "ipw";
    case Estimator::clipped_ipw:
      return "clipped-ipw";
    case Estimator::snipw:
      return "snipw";
    case Estimator::dm:
      return "dm";
    case Estimator::dr:
      return "dr";
    case Estimator::sndr:
      return "sndr";
    case Estimator::switch_dr:
      return "switch-dr";
  }
  return "";
}

WeightSummary summarize(std::span<const double> weights) {
  WeightSummary result;
  const double total = sum(weights);
  double squares = 0;
  for (const double weight : weights) {
    squares += weight * weight;
    result.max = std::max(result.max, weight);
  }
  result.mean = total / static_cast<double>(weights.size());
  result.mean_error = standard_error_of_mean(weights);
  if (total > 0) {
    result.effective_decisions = total * total / squares;
    result.max_share = result.max / total;
  }
  return result;
}

std::vector<double> importance_weights(const Sample& sample) {
  return each(sample.reward.size(), [&](auto i) { return sample.target[i] / sample.propensity[i]; });
}

std::vector<Estimate> estimate_all(const Sample& sample, const EstimatorOptions& options) {
  const auto weights = importance_weights(sample);
  std::vector<Terms> all;
  std::vector<Estimate> estimates;
  for (const auto estimator : kEstimators) {
    auto terms = terms_of(estimator, sample, weights, options);
    estimates.push_back(estimate(terms));
    if (options.bootstrap > 0) all.push_back(std::move(terms));  // Some 30 bytes a decision each.
  }
  if (!all.empty() && !weights.empty()) add_bootstrap(all, options, estimates);
  return estimates;
}

}  // namespace marquee::evaluation
