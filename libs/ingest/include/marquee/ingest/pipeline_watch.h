// Looks at the pipeline for all who ask, and for alerts while nobody does.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "marquee/base/metrics.h"
#include "marquee/ingest/pipeline.h"

namespace marquee::ingest {

struct PipelineWatchOptions {
  Millis while_asked{1'000};  ///< Between two looks while someone asks, and
  Millis while_alone{5'000};  ///< while nobody does.
  std::string topic = {};     ///< Of the log; see look_at_pipeline.
  /// What a loader of this process tells; null: there is none.
  std::function<std::vector<PartitionStatus>()> own;
  std::shared_ptr<metrics::Registry> metrics;  ///< Null: none.
};

/// One thread asks the log and the store, however many ask it: a hundred consoles cost the store what one does. Exports
/// every partition's figures (marquee_pipeline_...), those that no loader has among them. Thread safe.
class PipelineWatch {
 public:
  /// `store` and `log` must outlive it. `store` should be a client of its own that does not wait for long.
  PipelineWatch(PipelineWatchOptions options, clickhouse::Client& store, log::EventLog& log);
  ~PipelineWatch();  ///< Stops; waits for a look under way.
  PipelineWatch(const PipelineWatch&) = delete;
  PipelineWatch& operator=(const PipelineWatch&) = delete;

  /// As at the last look (Pipeline::now.time_ms); never waits. Before the first, one in which nothing answers.
  [[nodiscard]] std::shared_ptr<const Pipeline> pipeline();

 private:
  class Gauges;
  void run(const std::stop_token& stop);

  const PipelineWatchOptions options_;
  clickhouse::Client& store_;
  log::EventLog& log_;
  std::unique_ptr<Gauges> gauges_;
  std::mutex mutex_;
  std::condition_variable_any asked_;
  std::shared_ptr<const Pipeline> pipeline_ = std::make_shared<Pipeline>();  ///< Guarded by mutex_, as is the next.
  std::chrono::steady_clock::time_point last_asked_;
  std::jthread thread_;
};

}  // namespace marquee::ingest
