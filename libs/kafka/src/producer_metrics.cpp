#include "producer_metrics.h"

namespace marquee::kafka {
namespace {

prometheus::Gauge& gauge(metrics::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

}  // namespace

// Named as the local log's, which they mean the same as.
ProducerMetrics::ProducerMetrics(std::shared_ptr<metrics::Registry> registry, std::uint64_t max_pending_bytes)
    : registry_(registry ? std::move(registry) : std::make_shared<metrics::Registry>()),
      pending_bytes(gauge(*registry_, "marquee_log_pending_bytes", "Appends that wait to be durable")),
      broken(prometheus::BuildCounter()
                 .Name("marquee_kafka_producers_broken_total")
                 .Help("Producers that failed for good and were replaced")
                 .Register(*registry_)
                 .Add({})) {
  gauge(*registry_, "marquee_log_max_pending_bytes", "More that wait to be durable: appends are refused")
      .Set(static_cast<double>(max_pending_bytes));
}

}  // namespace marquee::kafka
