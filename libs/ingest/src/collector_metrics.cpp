#include "collector_metrics.h"

namespace marquee::ingest {
namespace {

prometheus::Counter& counter(metrics::Registry& registry, const char* name, const char* help, const char* label,
                             const char* value) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({{label, value}});
}

prometheus::Counter& events(metrics::Registry& registry, const char* result) {
  return counter(registry, "marquee_collector_events_total", "Events received", "result", result);
}

prometheus::Counter& requests(metrics::Registry& registry, const char* result) {
  return counter(registry, "marquee_collector_requests_total", "Requests answered", "result", result);
}

}  // namespace

CollectorMetrics::CollectorMetrics(std::shared_ptr<metrics::Registry> registry)
    : registry_(registry ? std::move(registry) : std::make_shared<metrics::Registry>()),
      accepted_(events(*registry_, "accepted")),
      rejected_(events(*registry_, "rejected")),
      good_(requests(*registry_, "taken")),
      refused_(requests(*registry_, "refused")),
      limited_(requests(*registry_, "limited")),
      failed_(requests(*registry_, "unavailable")),
      seconds_(prometheus::BuildHistogram()
                   .Name("marquee_collector_durable_seconds")
                   .Help("From a request's arrival until its events are durable")
                   .Register(*registry_)
                   .Add({}, metrics::latency_buckets())) {}

void CollectorMetrics::accepted(std::uint64_t count, double seconds) {
  accepted_.Increment(static_cast<double>(count));
  seconds_.Observe(seconds);
}

void CollectorMetrics::rejected(std::uint64_t count) {
  if (count > 0) rejected_.Increment(static_cast<double>(count));
}

void CollectorMetrics::answered(unsigned status) {
  (status < 400 ? good_ : status == 429 ? limited_ : status < 500 ? refused_ : failed_).Increment();
}

}  // namespace marquee::ingest
