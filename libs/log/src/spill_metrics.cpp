#include "spill_metrics.h"

namespace marquee::log {

SpillMetrics::SpillMetrics(const std::shared_ptr<metrics::Registry>& registry) : registry_(registry) {
  if (!registry_) return;
  const auto counter = [&](const char* name, const char* help) {
    return &prometheus::BuildCounter().Name(name).Help(help).Register(*registry_).Add({});
  };
  const auto gauge = [&](const char* name, const char* help) {
    return &prometheus::BuildGauge().Name(name).Help(help).Register(*registry_).Add({});
  };
  spilled_ = counter("marquee_spill_events_total", "Events put into the spill, as Kafka did not take them in time");
  spilled_bytes_ = counter("marquee_spill_bytes_total", "Bytes of these events");
  drained_ = counter("marquee_spill_drained_events_total", "Events that left the spill, as Kafka has them");
  kept_ = counter("marquee_spill_late_events_total", "Of these, events that Kafka had acknowledged late");
  waiting_ = gauge("marquee_spill_waiting_events", "Events that wait in the spill");
  oldest_seconds_ = gauge("marquee_spill_oldest_seconds", "How long the oldest event has waited in the spill");
}

void SpillMetrics::spilled(std::uint64_t records, std::uint64_t bytes) const {
  if (!registry_) return;
  spilled_->Increment(static_cast<double>(records));
  spilled_bytes_->Increment(static_cast<double>(bytes));
}

void SpillMetrics::drained(std::uint64_t records, std::uint64_t kept) const {
  if (!registry_) return;
  drained_->Increment(static_cast<double>(records));
  kept_->Increment(static_cast<double>(kept));
}

void SpillMetrics::waits(std::uint64_t records, std::int64_t oldest_age_ms) const {
  if (!registry_) return;
  waiting_->Set(static_cast<double>(records));
  oldest_seconds_->Set(static_cast<double>(oldest_age_ms) / 1'000);
}

}  // namespace marquee::log
