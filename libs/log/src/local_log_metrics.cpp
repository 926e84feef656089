#include "local_log_metrics.h"

namespace marquee::log {
namespace {

prometheus::Gauge& gauge(metrics::Registry& registry, const prometheus::Labels& labels, const char* name,
                         const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add(labels);
}

}  // namespace

LocalLogMetrics::LocalLogMetrics(std::shared_ptr<metrics::Registry> registry, const prometheus::Labels& labels,
                                 const LocalLogBounds& bounds)
    : registry_(registry ? std::move(registry) : std::make_shared<metrics::Registry>()),
      records(prometheus::BuildCounter()
                  .Name("marquee_log_records_total")
                  .Help("Records made durable")
                  .Register(*registry_)
                  .Add(labels)),
      kept_bytes(gauge(*registry_, labels, "marquee_log_kept_bytes", "Bytes that the log keeps")),
      free_disk_bytes(gauge(*registry_, labels, "marquee_log_free_disk_bytes", "Free on the log's disk")),
      pending_bytes(gauge(*registry_, labels, "marquee_log_pending_bytes", "Appends that wait to be durable")),
      commit_seconds(prometheus::BuildHistogram()
                         .Name("marquee_log_commit_seconds")
                         .Help("Time of one group commit")
                         .Register(*registry_)
                         .Add(labels, metrics::latency_buckets())) {
  gauge(*registry_, labels, "marquee_log_max_bytes", "Bytes that the log keeps at most (log.max_size)")
      .Set(static_cast<double>(bounds.max_bytes));
  gauge(*registry_, labels, "marquee_log_min_free_disk_bytes",
        "Less free on the disk: appends are refused (log.min_free_disk)")
      .Set(static_cast<double>(bounds.min_free_disk_bytes));
  gauge(*registry_, labels, "marquee_log_max_pending_bytes", "More that wait to be durable: appends are refused")
      .Set(static_cast<double>(bounds.max_pending_bytes));
}

}  // namespace marquee::log
