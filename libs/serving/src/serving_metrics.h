// What the decision server tells of itself.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "marquee/base/metrics.h"
#include "marquee/event/event.h"

namespace marquee::serving {

/// What became of an impression or click address that was asked for.
enum class Outcome : std::uint8_t { counted, replayed, forged, expired, bot, no_impression, not_logged, flood, clock };
[[nodiscard]] std::string_view name(Outcome outcome);

/// Thread safe; does nothing without a registry.
class ServingMetrics {
 public:
  explicit ServingMetrics(const std::shared_ptr<metrics::Registry>& registry);
  void decided(std::size_t served, std::size_t empty);
  void chosen(double seconds);
  void answered(double seconds);
  void refused(unsigned status);
  void event(event::Type type, Outcome outcome);

 private:
  prometheus::Family<prometheus::Counter>* placements_ = nullptr;
  prometheus::Family<prometheus::Counter>* refusals_ = nullptr;
  prometheus::Family<prometheus::Counter>* events_ = nullptr;
  prometheus::Counter *served_ = nullptr, *empty_ = nullptr;
  prometheus::Histogram *engine_seconds_ = nullptr, *seconds_ = nullptr;
};

}  // namespace marquee::serving
