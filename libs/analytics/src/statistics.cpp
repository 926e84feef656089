#include "marquee/analytics/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace marquee::analytics {
namespace {

constexpr double kLeastExpected = 5;  // W. G. Cochran's rule for the normal approximation.

/// std::lgamma writes a global sign.
double log_factorial(double n) {
  int sign = 0;
  return ::lgamma_r(n + 1, &sign);
}

double log_choose(double n, double k) { return log_factorial(n) - log_factorial(k) - log_factorial(n - k); }

/// Of a table with these margins: the sum over the tables that are no likelier than the one with `seen`.
double fisher_p(std::uint64_t seen, std::uint64_t trials, std::uint64_t successes, std::uint64_t all) {
  const auto log_probability = [&](std::uint64_t k) {
    const auto n = static_cast<double>(trials), s = static_cast<double>(successes), of = static_cast<double>(all);
    const auto x = static_cast<double>(k);
    return log_choose(s, x) + log_choose(of - s, n - x) - log_choose(of, n);
  };
  constexpr double kSame = 1e-7;  // Tables that are as likely differ by rounding.
  const double limit = log_probability(seen) + kSame;
  const auto failures = all - successes;
  double sum = 0;
  for (auto k = trials > failures ? trials - failures : 0; k <= std::min(trials, successes); ++k)
    if (const double p = log_probability(k); p <= limit) sum += std::exp(p);
  return std::min(1.0, sum);
}

}  // namespace

Interval wilson(std::uint64_t successes, std::uint64_t trials) {
  if (trials == 0) return {};
  constexpr double z = 1.959963984540054;
  const auto n = static_cast<double>(trials);
  const double p = static_cast<double>(std::min(successes, trials)) / n;
  const double denominator = 1 + z * z / n;
  const double centre = (p + z * z / (2 * n)) / denominator;
  const double half = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / denominator;
  // At the ends the interval touches 0 and 1 exactly; rounding must not say otherwise.
  return {p == 0 ? 0 : std::max(0.0, centre - half), p == 1 ? 1 : std::min(1.0, centre + half)};
}

double same_proportion_p(std::uint64_t successes, std::uint64_t trials, std::uint64_t other_successes,
                         std::uint64_t other_trials) {
  if (trials == 0 || other_trials == 0) return 1;
  const auto a = std::min(successes, trials), b = std::min(other_successes, other_trials);
  const auto n = static_cast<double>(trials), m = static_cast<double>(other_trials);
  const double pooled = static_cast<double>(a + b) / (n + m);
  if (std::min(n, m) * std::min(pooled, 1 - pooled) < kLeastExpected)
    return fisher_p(a, trials, a + b, trials + other_trials);
  const double difference = static_cast<double>(a) / n - static_cast<double>(b) / m;
  const double z = difference / std::sqrt(pooled * (1 - pooled) * (1 / n + 1 / m));
  return std::erfc(std::abs(z) / std::sqrt(2.0));
}

std::vector<double> false_discovery_rates(const std::vector<double>& p_values) {
  std::vector<std::size_t> largest_first(p_values.size());
  std::iota(largest_first.begin(), largest_first.end(), 0);
  std::ranges::sort(largest_first, [&](std::size_t a, std::size_t b) { return p_values[a] > p_values[b]; });
  std::vector<double> rates(p_values.size());
  double least = 1;
  for (std::size_t i = 0; i < largest_first.size(); ++i) {
    const auto count = static_cast<double>(p_values.size());
    least = std::min(least, p_values[largest_first[i]] * count / (count - static_cast<double>(i)));
    rates[largest_first[i]] = least;
  }
  return rates;
}

}  // namespace marquee::analytics
