#include "feeder_metrics.h"

namespace marquee::profile {
namespace {

constexpr std::array<const char*, kOutcomes> kOutcomeNames = {"applied", "contextual", "repeat", "before", "forgotten"};

void raise_to(prometheus::Counter& counter, std::uint64_t value) {
  const double more = static_cast<double>(value) - counter.Value();
  if (more > 0) counter.Increment(more);
}

}  // namespace

FeederMetrics::FeederMetrics(std::shared_ptr<metrics::Registry> registry)
    : registry_(registry ? std::move(registry) : std::make_shared<metrics::Registry>()),
      profiles_(gauge("marquee_profiles", "Users with a profile in memory")),
      bytes_(gauge("marquee_profile_bytes", "Resident memory of profiles, all told")),
      lag_(gauge("marquee_profile_lag_events", "Events of the log that profiles do not know yet")),
      evicted_(counter("marquee_profiles_evicted_total", "Profiles let go for want of room, unseen for longest")),
      erased_(counter("marquee_profiles_erased_total", "Profiles erased on request, or as their user is under age")),
      unreadable(counter("marquee_profile_unreadable_events_total", "Records of the log that hold no event")),
      snapshot_failures(counter("marquee_profile_snapshot_failures_total", "Snapshots that could not be saved")),
      snapshot_seconds(gauge("marquee_profile_snapshot_seconds", "How long the last snapshot took")),
      freshness_seconds(prometheus::BuildHistogram()
                            .Name("marquee_profile_freshness_seconds")
                            .Help("From an event's receipt until profiles know it")
                            .Register(*registry_)
                            .Add({}, metrics::latency_buckets())) {
  auto& events = prometheus::BuildCounter()
                     .Name("marquee_profile_events_total")
                     .Help("Events of the log by what became of them")
                     .Register(*registry_);
  for (std::size_t i = 0; i < kOutcomes; ++i) events_[i] = &events.Add({{"outcome", kOutcomeNames[i]}});
}

prometheus::Gauge& FeederMetrics::gauge(const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(*registry_).Add({});
}

prometheus::Counter& FeederMetrics::counter(const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(*registry_).Add({});
}

void FeederMetrics::count(const std::array<std::uint64_t, kOutcomes>& outcomes) {
  for (std::size_t i = 0; i < kOutcomes; ++i)
    if (outcomes[i] > 0) events_[i]->Increment(static_cast<double>(outcomes[i]));
}

void FeederMetrics::show(const ProfileStoreState& state, std::uint64_t lag) {
  profiles_.Set(static_cast<double>(state.profiles));
  bytes_.Set(static_cast<double>(state.bytes));
  lag_.Set(static_cast<double>(lag));
  raise_to(evicted_, state.evicted);
  raise_to(erased_, state.erased);
}

}  // namespace marquee::profile
