#include "loader_metrics.h"

namespace marquee::ingest {
namespace {

prometheus::Histogram& seconds_histogram(metrics::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add({}, metrics::latency_buckets());
}

prometheus::Labels label(log::Partition partition) { return {{"partition", std::to_string(partition)}}; }

}  // namespace

LoaderMetrics::LoaderMetrics(std::shared_ptr<metrics::Registry> registry, std::size_t max_batch_rows)
    : registry_(registry ? std::move(registry) : std::make_shared<metrics::Registry>()),
      recoveries(prometheus::BuildCounter()
                     .Name("marquee_loader_recoveries_total")
                     .Help("Batches completed after an unknown outcome")
                     .Register(*registry_)
                     .Add({})),
      dead_letters_not_handed_on(prometheus::BuildCounter()
                                     .Name("marquee_loader_dead_letters_not_handed_on_total")
                                     .Help("Dead letters that their topic refused; the store has them")
                                     .Register(*registry_)
                                     .Add({})),
      insert_seconds(seconds_histogram(*registry_, "marquee_loader_insert_seconds", "Time that an insert took")),
      landing_seconds(seconds_histogram(*registry_, "marquee_loader_landing_delay_seconds",
                                        "From receipt of a batch's oldest event until it can be queried")),
      events_(counters("marquee_loader_events_total", "Events landed in the store")),
      repeats_(counters("marquee_loader_repeats_total", "Repeated events that were dropped")),
      dead_letters_(counters("marquee_loader_dead_letters_total", "Records that could not be loaded")),
      batches_(counters("marquee_loader_batches_total", "Batches landed")),
      failures_(counters("marquee_loader_failures_total", "Failed attempts at the log or the store")),
      lag_events_(gauges("marquee_loader_lag_events", "Events in the log that have not landed")),
      lag_seconds_(gauges("marquee_loader_lag_seconds", "Age of the oldest event that was read and has not landed")),
      batch_rows_(gauges("marquee_loader_batch_rows", "Events of the batch that landed last")),
      landed_time_(gauges("marquee_loader_landed_timestamp_seconds", "When a batch landed last, since the Unix epoch")),
      failing_(gauges("marquee_loader_failing", "1: the last attempt failed")) {
  gauges("marquee_loader_max_batch_rows", "Events per insert at most (loader.batch_rows)")
      .Add({})
      .Set(static_cast<double>(max_batch_rows));
}

LoaderMetrics::Counters& LoaderMetrics::counters(const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(*registry_);
}

LoaderMetrics::Gauges& LoaderMetrics::gauges(const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(*registry_);
}

PartitionMetrics& LoaderMetrics::of(log::Partition partition) {
  const std::lock_guard lock(mutex_);
  if (const auto found = partitions_.find(partition); found != partitions_.end()) return found->second;
  const auto labels = label(partition);
  const PartitionMetrics made{events_.Add(labels), repeats_.Add(labels), dead_letters_.Add(labels),
                              batches_.Add(labels), failures_.Add(labels)};
  return partitions_.emplace(partition, made).first->second;
}

void LoaderMetrics::show(const std::vector<PartitionStatus>& partitions) {
  const std::lock_guard lock(mutex_);
  std::set<log::Partition> gone;
  gone.swap(shown_);
  for (const PartitionStatus& one : partitions) {
    const auto labels = label(one.partition);
    lag_events_.Add(labels).Set(static_cast<double>(one.lag_events()));
    lag_seconds_.Add(labels).Set(one.lag_seconds);
    batch_rows_.Add(labels).Set(static_cast<double>(one.batch_rows));
    landed_time_.Add(labels).Set(static_cast<double>(one.landed_ms) / 1'000);
    failing_.Add(labels).Set(one.last_error.empty() ? 0 : 1);
    shown_.insert(one.partition);
    gone.erase(one.partition);
  }
  for (const log::Partition partition : gone) {
    for (Gauges* family : {&lag_events_, &lag_seconds_, &batch_rows_, &landed_time_, &failing_})
      family->Remove(&family->Add(label(partition)));
  }
}

}  // namespace marquee::ingest
