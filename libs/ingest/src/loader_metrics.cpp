#include "loader_metrics.h"

namespace marquee::ingest {
namespace {

prometheus::Counter& counter(metrics::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add({});
}

prometheus::Histogram& seconds(metrics::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add({}, metrics::latency_buckets());
}

}  // namespace

LoaderMetrics::LoaderMetrics(metrics::Registry& registry)
    : events(counter(registry, "marquee_loader_events_total", "Events landed in the store")),
      repeats(counter(registry, "marquee_loader_repeats_total", "Repeated events that were dropped")),
      dead_letters(counter(registry, "marquee_loader_dead_letters_total", "Records that could not be loaded")),
      batches(counter(registry, "marquee_loader_batches_total", "Batches landed")),
      recoveries(counter(registry, "marquee_loader_recoveries_total", "Batches completed after an unknown outcome")),
      failures(counter(registry, "marquee_loader_failures_total", "Failed attempts at the log or the store")),
      insert_seconds(seconds(registry, "marquee_loader_insert_seconds", "Time that an insert took")),
      landing_seconds(seconds(registry, "marquee_loader_landing_delay_seconds",
                              "From receipt of a batch's oldest event until it can be queried")),
      lag_(prometheus::BuildGauge()
               .Name("marquee_loader_lag_events")
               .Help("Events in the log that have not landed")
               .Register(registry)) {}

LoaderMetrics::LoaderMetrics(std::shared_ptr<metrics::Registry> registry)
    : LoaderMetrics(*(registry ? registry : registry = std::make_shared<metrics::Registry>())) {
  registry_ = std::move(registry);
}

prometheus::Gauge& LoaderMetrics::lag(log::Partition partition) {
  return lag_.Add({{"partition", std::to_string(partition)}});
}

}  // namespace marquee::ingest
