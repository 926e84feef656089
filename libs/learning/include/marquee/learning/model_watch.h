// How good a version is while it serves, and when to go back to the one before it.
#pragma once

#include <cstdint>
#include <vector>

namespace marquee::learning {

/// How a version did over a window of examples.
struct Quality {
  std::uint64_t examples = 0;
  double clicks = 0;
  double calibration = 0;         ///< Predicted clicks over clicks: 1 is right; 0 where none was clicked.
  double log_loss = 0;            ///< Mean, in nats.
  double normalized_entropy = 0;  ///< Log-loss over that of always telling the window's CTR: below 1 is better than
                                  ///< that (He et al., "Practical Lessons from Predicting Clicks on Ads", 2014).
};

/// Log-loss of a prediction p, taken within [1e-7, 1 - 1e-7], where the outcome was `clicks` (0, 1, or an estimate).
[[nodiscard]] double log_loss(double p, double clicks);

/// Quality over the latest examples: `parts` parts of `examples_per_part`; the oldest part goes when a new one begins.
/// Feed predictions made before their example was learned. Not thread safe.
class QualityWindow {
 public:
  explicit QualityWindow(std::uint64_t examples_per_part = 10'000, std::size_t parts = 10);
  void add(double p, double clicks);
  [[nodiscard]] Quality quality() const;

 private:
  struct Part {
    std::uint64_t examples = 0;
    double clicks = 0, predicted = 0, loss = 0;
  };
  std::uint64_t examples_per_part_;
  std::vector<Part> parts_;  // A ring; at_ is the one being filled.
  std::size_t at_ = 0;
};

struct TrialOptions {
  double false_alarm = 0.01;  ///< Chance, over a whole trial, to roll back a version that is no worse.
  double margin = 0;          ///< Log-loss, in nats per example, by which it may be worse.
  std::uint64_t min_examples = 2'000;
  double min_clicks = 20;
  std::uint64_t epoch_examples = 200'000;  ///< Older examples do not speak for a version that turned bad since.
  double most_loss = 5;                    ///< Differences beyond are cut: one example must not decide.
};

enum class Verdict : std::uint8_t { undecided, worse };

/// A version on trial against the one before it, on the same examples, none of which either has learned.
///
/// With d = its log-loss less the other's, one example each, the version is worse as soon as
///
///   mean(d) - s sqrt( 2 (n r + 1) / (n^2 r) ln( sqrt(n r + 1) / (2 a) + 1 ) ) > margin,    s: standard deviation of d
///
/// the lower end of an asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, "Time-uniform
/// central limit theory", 2021; one-sided), which holds at all n at once: asking after every example costs no false
/// alarms. r is tuned to n = epoch_examples / 4. The k-th epoch begins anew with a = false_alarm * 6 / (pi k)^2, which
/// sum to false_alarm. Not thread safe.
class VersionTrial {
 public:
  explicit VersionTrial(const TrialOptions& options = {});
  /// One example: the served version's p(click), the other's, and the outcome. `worse` stays.
  Verdict add(double served, double other, double clicks);

  [[nodiscard]] Verdict verdict() const { return verdict_; }
  /// What it has seen, to be kept while it is undecided.
  struct State {
    std::uint64_t epoch = 1, examples = 0;
    double clicks = 0, mean = 0, squares = 0;
  };
  [[nodiscard]] State state() const;
  void restore(const State& state);
  /// Of the epoch: mean difference, and what the test is sure it exceeds.
  [[nodiscard]] double mean_difference() const;
  [[nodiscard]] double lower_bound() const;

 private:
  TrialOptions options_;
  Verdict verdict_ = Verdict::undecided;
  std::uint64_t epoch_ = 1;
  std::uint64_t n_ = 0;
  double clicks_ = 0;
  double mean_ = 0;
  double squares_ = 0;  // Sum of squared deviations from the mean (Welford).
};

}  // namespace marquee::learning
