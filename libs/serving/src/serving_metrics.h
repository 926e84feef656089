// What the decision server tells of itself.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "marquee/base/metrics.h"
#include "marquee/event/event.h"

namespace marquee::serving {

/// What became of an impression or click address that was asked for.
enum class Outcome : std::uint8_t { counted, replayed, forged, expired, bot, no_impression, not_logged, flood, clock };
[[nodiscard]] std::string_view name(Outcome outcome);

/// Of a decision, besides choosing.
enum class Stage : std::uint8_t {
  read,   ///< From the request read to what is known of it: its JSON, the user's profile.
  write,  ///< The record and the answer.
  log,    ///< From the append to its acknowledgement: waiting for the group before it, and its own.
  send,   ///< From there to the answer with the kernel: waiting for the thread of its connection.
};
[[nodiscard]] std::string_view name(Stage stage);

/// Thread safe; does nothing without a registry.
class ServingMetrics {
 public:
  explicit ServingMetrics(const std::shared_ptr<metrics::Registry>& registry);
  void decided(std::size_t served, std::size_t empty);
  void chosen(double seconds);
  void took(Stage stage, double seconds);
  void answered(double seconds);
  void refused(unsigned status);
  void event(event::Type type, Outcome outcome);

 private:
  prometheus::Family<prometheus::Counter>* placements_ = nullptr;
  prometheus::Family<prometheus::Counter>* refusals_ = nullptr;
  prometheus::Family<prometheus::Counter>* events_ = nullptr;
  prometheus::Counter *served_ = nullptr, *empty_ = nullptr;
  prometheus::Histogram *engine_seconds_ = nullptr, *seconds_ = nullptr;
  std::array<prometheus::Histogram*, 4> stages_{};
};

}  // namespace marquee::serving
