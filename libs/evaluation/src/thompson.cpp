#include "marquee/evaluation/thompson.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/digamma.hpp>
#include <boost/math/special_functions/trigamma.hpp>
#include <cmath>
#include <limits>
#include <numeric>

namespace marquee::evaluation {
namespace {

constexpr double kMostPoints = 200'000;

/// Points t = log(x / (1 - x)). There every Beta density is smooth and falls off exponentially on both sides, for which
/// the trapezoid rule is as exact as doubles are once its step is a fraction of the narrowest width.
struct Grid {
  double begin = 0;
  double step = 0;
  std::size_t points = 0;
};

Result<Grid> grid_of(const BetaPrior& prior) {
  double begin = std::numeric_limits<double>::infinity();
  double end = -begin;
  double narrowest = begin;
  for (std::size_t i = 0; i < prior.alpha.size(); ++i) {
    const double a = prior.alpha[i];
    const double b = prior.beta[i];
    if (!(a > 0 && b > 0 && std::isfinite(a) && std::isfinite(b)))
      return Error::reject(fmt::format("ad {}: alpha and beta must be above 0", i));
    const double mean = boost::math::digamma(a) - boost::math::digamma(b);
    const double width = std::sqrt(boost::math::trigamma(a) + boost::math::trigamma(b));
    // The tails go as exp(a t) and exp(-b t): beyond this they hold less than 1e-15.
    begin = std::min(begin, mean - 10 * width - 35 / a);
    end = std::max(end, mean + 10 * width + 35 / b);
    narrowest = std::min(narrowest, width);
  }
  const double step = narrowest / 8;
  if ((end - begin) / step > kMostPoints)
    return Error::reject("the Beta distributions differ too much in width to be compared on one grid");
  return Grid{begin, step, static_cast<std::size_t>((end - begin) / step) + 1};
}

/// counts[m]: that m of the ads so far exceed the point, m < places; takes one more ad in.
void take_in(std::vector<double>& counts, double exceeds) {
  for (std::size_t m = counts.size(); m-- > 0;)
    counts[m] = counts[m] * (1 - exceeds) + (m > 0 ? counts[m - 1] * exceeds : 0.0);
}

/// Adds what the draws of each ad at one point contribute: density[i] times the chance that k of the others exceed it.
void add_point(const std::vector<double>& density, const std::vector<double>& exceeds,
               std::vector<std::vector<double>>& result) {
  const std::size_t n = density.size();
  const std::size_t places = result.size();
  std::vector<double> none(places, 0.0);
  none[0] = 1;
  std::vector<std::vector<double>> after(n + 1, none);  // Counts of the ads i, i + 1, ...
  for (std::size_t i = n; i-- > 0;) {
    after[i] = after[i + 1];
    take_in(after[i], exceeds[i]);
  }
  auto before = none;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; density[i] > 0 && k < places; ++k) {
      double others = 0;
      for (std::size_t m = 0; m <= k; ++m) others += before[m] * after[i + 1][k - m];
      result[k][i] += density[i] * others;
    }
    take_in(before, exceeds[i]);
  }
}

Result<std::vector<double>> numbers(const YAML::Node& node, const std::string& name) {
  if (!node || !node.IsSequence()) return Error::reject(fmt::format("{}: expected a list of numbers", name));
  return node.as<std::vector<double>>();
}

}  // namespace

Result<BetaPrior> read_prior(const std::string& path, const std::string& campaign) {
  try {
    const auto node = YAML::LoadFile(path)[campaign];
    if (!node || !node.IsMap()) return Error::reject(fmt::format("{}: has no campaign \"{}\"", path, campaign));
    auto alpha = numbers(node["alpha"], fmt::format("{}: {}.alpha", path, campaign));
    if (!alpha) return alpha.error();
    auto beta = numbers(node["beta"], fmt::format("{}: {}.beta", path, campaign));
    if (!beta) return beta.error();
    if (alpha->size() != beta->size())
      return Error::reject(fmt::format("{}: {}: alpha and beta differ in length", path, campaign));
    return BetaPrior{std::move(*alpha), std::move(*beta)};
  } catch (const YAML::Exception& e) {
    return Error::reject(fmt::format("{}: {}", path, e.what()));
  }
}

Result<std::vector<std::vector<double>>> thompson_probabilities(const BetaPrior& prior, std::size_t places) {
  const std::size_t n = prior.alpha.size();
  if (n < places) return Error::reject(fmt::format("{} ads cannot fill {} places", n, places));
  const auto grid = grid_of(prior);
  if (!grid) return grid.error();
  std::vector<std::vector<double>> result(places, std::vector<double>(n, 0.0));
  std::vector<double> density(n);
  std::vector<double> exceeds(n);
  for (std::size_t point = 0; point < grid->points; ++point) {
    const double odds = std::exp(grid->begin + grid->step * static_cast<double>(point));
    const double x = odds / (1 + odds);
    const double rest = 1 / (1 + odds);  // 1 - x, also where x is all but 1.
    if (!(x > 0) || !(rest > 0)) continue;
    for (std::size_t i = 0; i < n; ++i) {
      const double a = prior.alpha[i];
      const double b = prior.beta[i];
      density[i] = x < 1 ? boost::math::ibeta_derivative(a, b, x) * x * rest : 0.0;
      exceeds[i] = x < 0.5 ? boost::math::ibetac(a, b, x) : boost::math::ibeta(b, a, rest);
    }
    add_point(density, exceeds, result);
  }
  for (auto& place : result) {
    for (double& probability : place) probability *= grid->step;
    const double total = std::accumulate(place.begin(), place.end(), 0.0);
    // Where alpha or beta is all but 0, a draw may be nearer to 0 or 1 than doubles tell.
    if (!(std::abs(total - 1) < 1e-6))
      return Error::reject("a Beta distribution lies closer to 0 or 1 than can be computed with");
  }
  return result;
}

Result<std::unique_ptr<Policy>> thompson_policy(const BetaPrior& prior, DecisionLog& log) {
  const auto probabilities = thompson_probabilities(prior, log.positions.size());
  if (!probabilities) return probabilities.error();
  std::vector<std::size_t> index;  // In the log, of each ad of the prior.
  for (std::size_t i = 0; i < prior.alpha.size(); ++i) index.push_back(log.ad_index(std::to_string(i)));
  if (log.ads.size() > prior.alpha.size())
    return Error::reject(
        fmt::format("the prior is of {} ads, numbered from 0, and the log has others: is it of this campaign?",
                    prior.alpha.size()));
  std::vector<std::vector<double>> weights(log.positions.size(), std::vector<double>(log.ads.size(), 0.0));
  for (std::size_t place = 0; place < weights.size(); ++place)
    for (std::size_t i = 0; i < index.size(); ++i) weights[place][index[i]] = (*probabilities)[place][i];
  return weighted_policy(std::move(weights));
}

}  // namespace marquee::evaluation
