#include "serving_metrics.h"

#include <array>
#include <string>

namespace marquee::serving {

std::string_view name(Outcome outcome) {
  constexpr auto kNames = std::to_array<std::string_view>(
      {"counted", "replayed", "forged", "expired", "bot", "no_impression", "not_logged", "flood", "clock"});
  return kNames[static_cast<std::size_t>(outcome)];
}

ServingMetrics::ServingMetrics(const std::shared_ptr<metrics::Registry>& registry) {
  if (!registry) return;
  placements_ = &prometheus::BuildCounter()
                     .Name("marquee_decision_placements_total")
                     .Help("Placements that were asked for, by whether an ad was served")
                     .Register(*registry);
  served_ = &placements_->Add({{"answer", "served"}});
  empty_ = &placements_->Add({{"answer", "empty"}});
  refusals_ = &prometheus::BuildCounter()
                   .Name("marquee_decision_refusals_total")
                   .Help("Requests for decisions that were refused, by status")
                   .Register(*registry);
  events_ = &prometheus::BuildCounter()
                 .Name("marquee_served_events_total")
                 .Help("Impression and click addresses that were asked for, by what became of it")
                 .Register(*registry);
  seconds_ = &prometheus::BuildHistogram()
                  .Name("marquee_decision_seconds")
                  .Help("From a request for decisions to its answer, the decisions' log included")
                  .Register(*registry)
                  .Add({}, metrics::latency_buckets());
}

void ServingMetrics::decided(std::size_t served, std::size_t empty, double seconds) {
  if (seconds_ == nullptr) return;
  served_->Increment(static_cast<double>(served));
  empty_->Increment(static_cast<double>(empty));
  seconds_->Observe(seconds);
}

void ServingMetrics::refused(unsigned status) {
  if (refusals_ != nullptr) refusals_->Add({{"status", std::to_string(status)}}).Increment();
}

void ServingMetrics::event(event::Type type, Outcome outcome) {
  if (events_ == nullptr) return;
  events_->Add({{"type", std::string(event::name(type))}, {"outcome", std::string(name(outcome))}}).Increment();
}

}  // namespace marquee::serving
