#include "learning_metrics.h"

namespace marquee::serving {

LearningMetrics::LearningMetrics(const std::shared_ptr<metrics::Registry>& registry) {
  if (!registry) return;
  const auto counter = [&](const char* name, const char* help) {
    return &prometheus::BuildCounter().Name(name).Help(help).Register(*registry).Add({});
  };
  const auto gauge = [&](const char* name, const char* help) {
    return &prometheus::BuildGauge().Name(name).Help(help).Register(*registry).Add({});
  };
  impressions_ = counter("marquee_learning_impressions_total", "Impressions that the click model has learned from");
  clicks_ = counter("marquee_learning_clicks_total", "Clicks that it has learned, those still to come reckoned in");
  passed_over_ = counter("marquee_learning_passed_over_total",
                         "Impressions whose decision was not known any more, so that nothing was learned");
  waiting_ = gauge("marquee_learning_waiting", "Impressions that wait for their click");
  calibration_ = gauge("marquee_learning_calibration",
                       "Predicted clicks over clicks of the latest 100,000 impressions, before they were learned");
  normalized_entropy_ = gauge("marquee_learning_normalized_entropy",
                              "Log-loss of those over that of always telling their CTR: below 1 is better than that");
  previous_calibration_ = gauge("marquee_learning_previous_calibration",
                                "The same of the version that what serves is compared with, as it was; 0: none yet");
  previous_entropy_ = gauge("marquee_learning_previous_normalized_entropy",
                            "The same of the version that what serves is compared with, as it was; 0: none yet");
  version_ = gauge("marquee_learning_version", "Number of the version that serves: the policy learned-<number>");
  rolled_back_ = counter("marquee_learning_rollbacks_total",
                         "Times that the model was found worse than one before it, and that was taken up again");
}

void LearningMetrics::learned(std::uint64_t impressions, double clicks, std::uint64_t passed_over) {
  if (impressions_ == nullptr) return;
  impressions_->Increment(static_cast<double>(impressions));
  clicks_->Increment(clicks);
  passed_over_->Increment(static_cast<double>(passed_over));
}

void LearningMetrics::waiting(std::size_t impressions) {
  if (waiting_ != nullptr) waiting_->Set(static_cast<double>(impressions));
}

void LearningMetrics::quality(const learning::Quality& served, const learning::Quality& previous) {
  if (calibration_ == nullptr) return;
  calibration_->Set(served.calibration);
  normalized_entropy_->Set(served.normalized_entropy);
  previous_calibration_->Set(previous.calibration);
  previous_entropy_->Set(previous.normalized_entropy);
}

void LearningMetrics::published(std::uint64_t version) {
  if (version_ != nullptr) version_->Set(static_cast<double>(version));
}

void LearningMetrics::rolled_back() {
  if (rolled_back_ != nullptr) rolled_back_->Increment();
}

}  // namespace marquee::serving
