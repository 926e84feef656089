// Metrics of what is learned.
#pragma once

#include <cstddef>
#include <memory>

#include "marquee/base/metrics.h"
#include "marquee/learning/model_watch.h"

namespace marquee::serving {

/// One thread.
class LearningMetrics {
 public:
  /// None where there is no registry.
  explicit LearningMetrics(const std::shared_ptr<metrics::Registry>& registry);

  void learned(double clicks);
  /// An impression of which the decision or the ad is not known any more.
  void passed_over();
  void waiting(std::size_t impressions);
  void quality(const learning::Quality& quality);

 private:
  prometheus::Counter* impressions_ = nullptr;
  prometheus::Counter* clicks_ = nullptr;
  prometheus::Counter* passed_over_ = nullptr;
  prometheus::Gauge* waiting_ = nullptr;
  prometheus::Gauge* calibration_ = nullptr;
  prometheus::Gauge* normalized_entropy_ = nullptr;
};

}  // namespace marquee::serving
