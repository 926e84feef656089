#include "marquee/ingest/pipeline_watch.h"

namespace marquee::ingest {
namespace {

using Steady = std::chrono::steady_clock;

constexpr auto kStillAsked = std::chrono::seconds(15);  ///< A console asks every few seconds.

}  // namespace

class PipelineWatch::Gauges {
 public:
  explicit Gauges(std::shared_ptr<metrics::Registry> registry)
      : registry_(registry ? std::move(registry) : std::make_shared<metrics::Registry>()),
        lag_events_(family("marquee_pipeline_lag_events", "Events in the log that have not landed")),
        lag_seconds_(family("marquee_pipeline_lag_seconds", "Age of the first event that has not landed")),
        landed_(family("marquee_pipeline_landed_offset", "Everything before has landed")),
        end_(family("marquee_pipeline_end_offset", "One past the last event in the log")),
        has_loader_(family("marquee_pipeline_has_loader", "1: a loader has the partition")),
        failing_(family("marquee_pipeline_failing", "1: its loader's last attempt failed")),
        dead_letters_(
            family("marquee_pipeline_dead_letters", "Records that could not be loaded and were not replayed")),
        log_up_(family("marquee_log_up", "1: the log answers").Add({})),
        store_up_(family("marquee_store_up", "1: the store answers").Add({})) {}

  void set(const Pipeline& pipeline) {
    log_up_.Set(pipeline.log_answers ? 1 : 0);
    store_up_.Set(pipeline.store_answers ? 1 : 0);
    for (const PipelinePartition& one : pipeline.partitions) {
      const prometheus::Labels labels = {{"partition", std::to_string(one.told.partition)}};
      lag_events_.Add(labels).Set(static_cast<double>(one.told.lag_events()));
      lag_seconds_.Add(labels).Set(one.lag_seconds);
      landed_.Add(labels).Set(static_cast<double>(one.told.landed));
      end_.Add(labels).Set(static_cast<double>(one.told.end));
      has_loader_.Add(labels).Set(one.state == PartitionState::orphaned ? 0 : 1);
      failing_.Add(labels).Set(one.told.last_error.empty() ? 0 : 1);
      dead_letters_.Add(labels).Set(static_cast<double>(one.dead_letters));
    }
  }

 private:
  using Family = prometheus::Family<prometheus::Gauge>;
  Family& family(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(*registry_);
  }

  std::shared_ptr<metrics::Registry> registry_;
  Family& lag_events_;
  Family& lag_seconds_;
  Family& landed_;
  Family& end_;
  Family& has_loader_;
  Family& failing_;
  Family& dead_letters_;
  prometheus::Gauge& log_up_;
  prometheus::Gauge& store_up_;
};

PipelineWatch::PipelineWatch(PipelineWatchOptions options, clickhouse::Client& store, log::EventLog& log)
    : options_(std::move(options)),
      store_(store),
      log_(log),
      gauges_(std::make_unique<Gauges>(options_.metrics)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

PipelineWatch::~PipelineWatch() {
  thread_.request_stop();
  thread_.join();
}

std::shared_ptr<const Pipeline> PipelineWatch::pipeline() {
  const std::lock_guard lock(mutex_);
  last_asked_ = Steady::now();
  asked_.notify_one();
  return pipeline_;
}

void PipelineWatch::run(const std::stop_token& stop) {
  PipelineTracker tracker;
  while (!stop.stop_requested()) {
    const auto began = Steady::now();
    const auto look = look_at_pipeline(store_, log_, options_.topic);
    const Pipeline& seen = tracker.add(look, options_.own ? options_.own() : std::vector<PartitionStatus>());
    gauges_->set(seen);
    std::unique_lock lock(mutex_);
    pipeline_ = std::make_shared<Pipeline>(seen);
    asked_.wait_until(lock, stop, began + options_.while_asked, [] { return false; });
    asked_.wait_until(lock, stop, began + options_.while_alone,
                      [this] { return Steady::now() - last_asked_ < kStillAsked; });
  }
}

}  // namespace marquee::ingest
