#include "marquee/learning/model_watch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace marquee::learning {

double log_loss(double p, double clicks) {
  p = std::clamp(p, 1e-7, 1 - 1e-7);
  return -clicks * std::log(p) - (1 - clicks) * std::log1p(-p);
}

QualityWindow::QualityWindow(std::uint64_t examples_per_part, std::size_t parts)
    : examples_per_part_(std::max<std::uint64_t>(examples_per_part, 1)), parts_(std::max<std::size_t>(parts, 1)) {}

void QualityWindow::add(double p, double clicks) {
  if (parts_[at_].examples == examples_per_part_) {
    at_ = (at_ + 1) % parts_.size();
    parts_[at_] = {};
  }
  auto& part = parts_[at_];
  ++part.examples;
  part.clicks += clicks;
  part.predicted += p;
  part.loss += log_loss(p, clicks);
}

Quality QualityWindow::quality() const {
  Part sum;
  for (const auto& part : parts_) {
    sum.examples += part.examples;
    sum.clicks += part.clicks;
    sum.predicted += part.predicted;
    sum.loss += part.loss;
  }
  Quality quality{.examples = sum.examples, .clicks = sum.clicks};
  if (sum.examples == 0) return quality;
  const auto n = static_cast<double>(sum.examples);
  quality.log_loss = sum.loss / n;
  if (sum.clicks <= 0) return quality;
  quality.calibration = sum.predicted / sum.clicks;
  const double ctr = sum.clicks / n;
  if (ctr < 1) quality.normalized_entropy = quality.log_loss / log_loss(ctr, ctr);
  return quality;
}

VersionTrial::VersionTrial(const TrialOptions& options) : options_(options) {
  options_.epoch_examples = std::max(options_.epoch_examples, options_.min_examples);
}

Verdict VersionTrial::add(double served, double other, double clicks) {
  if (verdict_ == Verdict::worse) return verdict_;
  if (n_ == options_.epoch_examples) {
    ++epoch_;
    n_ = 0;
    clicks_ = mean_ = squares_ = 0;
  }
  const double difference =
      std::clamp(log_loss(served, clicks) - log_loss(other, clicks), -options_.most_loss, options_.most_loss);
  ++n_;
  clicks_ += clicks;
  const double step = difference - mean_;
  mean_ += step / static_cast<double>(n_);
  squares_ += step * (difference - mean_);
  if (n_ >= options_.min_examples && clicks_ >= options_.min_clicks && lower_bound() > options_.margin)
    verdict_ = Verdict::worse;
  return verdict_;
}

VersionTrial::State VersionTrial::state() const {
  return {.epoch = epoch_, .examples = n_, .clicks = clicks_, .mean = mean_, .squares = squares_};
}

void VersionTrial::restore(const State& state) {
  epoch_ = state.epoch;
  n_ = state.examples;
  clicks_ = state.clicks;
  mean_ = state.mean;
  squares_ = state.squares;
}

double VersionTrial::mean_difference() const { return mean_; }

double VersionTrial::lower_bound() const {
  if (n_ < 2) return -std::numeric_limits<double>::infinity();
  const auto n = static_cast<double>(n_);
  const auto k = static_cast<double>(epoch_) * std::numbers::pi;
  const double alarm = options_.false_alarm * 6 / (k * k);
  // Tightest near n: r = (-2 ln 2a + ln(-2 ln 2a + 1)) / n, for the one-sided sequence.
  const double level = -2 * std::log(std::min(2 * alarm, 0.9));
  const double r = (level + std::log(level + 1)) / (static_cast<double>(options_.epoch_examples) / 4);
  const double radius = std::sqrt(2 * (n * r + 1) / (n * n * r) * std::log1p(std::sqrt(n * r + 1) / (2 * alarm)));
  return mean_ - std::sqrt(squares_ / n) * radius;
}

}  // namespace marquee::learning
