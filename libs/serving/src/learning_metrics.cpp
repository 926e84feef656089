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
                         "Impressions whose decision or ad was not known any more, so that nothing was learned");
  waiting_ = gauge("marquee_learning_waiting", "Impressions that wait for their click");
  calibration_ = gauge("marquee_learning_calibration",
                       "Predicted clicks over clicks of the latest 100,000 impressions, before they were learned");
  normalized_entropy_ = gauge("marquee_learning_normalized_entropy",
                              "Log-loss of those over that of always telling their CTR: below 1 is better than that");
}

void LearningMetrics::learned(double clicks) {
  if (impressions_ == nullptr) return;
  impressions_->Increment();
  clicks_->Increment(clicks);
}

void LearningMetrics::passed_over() {
  if (passed_over_ != nullptr) passed_over_->Increment();
}

void LearningMetrics::waiting(std::size_t impressions) {
  if (waiting_ != nullptr) waiting_->Set(static_cast<double>(impressions));
}

void LearningMetrics::quality(const learning::Quality& quality) {
  if (calibration_ == nullptr) return;
  calibration_->Set(quality.calibration);
  normalized_entropy_->Set(quality.normalized_entropy);
}

}  // namespace marquee::serving
