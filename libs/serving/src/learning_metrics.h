// Metrics of what is learned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "marquee/base/metrics.h"
#include "marquee/learning/model_watch.h"

namespace marquee::serving {

/// One thread.
class LearningMetrics {
 public:
  /// None where there is no registry.
  explicit LearningMetrics(const std::shared_ptr<metrics::Registry>& registry);

  /// So many more; `passed_over`: impressions of which the decision is not known any more.
  void learned(std::uint64_t impressions, double clicks, std::uint64_t passed_over);
  void waiting(std::size_t impressions);
  /// Of what serves, over the latest impressions, and of the version that it is compared with.
  void quality(const learning::Quality& served, const learning::Quality& previous);
  void published(std::uint64_t version);
  void rolled_back();

 private:
  prometheus::Counter* impressions_ = nullptr;
  prometheus::Counter* clicks_ = nullptr;
  prometheus::Counter* passed_over_ = nullptr;
  prometheus::Gauge* waiting_ = nullptr;
  prometheus::Gauge* calibration_ = nullptr;
  prometheus::Gauge* normalized_entropy_ = nullptr;
  prometheus::Gauge* previous_calibration_ = nullptr;
  prometheus::Gauge* previous_entropy_ = nullptr;
  prometheus::Gauge* version_ = nullptr;
  prometheus::Counter* rolled_back_ = nullptr;
};

}  // namespace marquee::serving
