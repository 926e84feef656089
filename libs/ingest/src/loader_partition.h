// One partition's way from the log to the store: one thread builds batches while another lands the batch before.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>

#include "loader_batch.h"
#include "loader_metrics.h"
#include "loader_store.h"
#include "loader_window.h"
#include "marquee/ingest/loader.h"
#include "marquee/ingest/rollup.h"
#include "recovery.h"

namespace marquee::ingest {

/// What the partitions of a loader share.
struct LoaderContext {
  LoaderOptions options;
  log::EventLog& log;
  LoaderStore store;
  RollupGate& gate;
  LoaderMetrics metrics;
  std::function<void(std::uint64_t events)> on_landed;
  bool verify_kept_log = false;            ///< The machine went down: what is still kept must be counted again.
  std::function<void()> on_verified;       ///< Called once per partition, when that is done.
};

/// Thread safe.
class PartitionLoader {
 public:
  PartitionLoader(LoaderContext& context, log::Partition partition);
  ~PartitionLoader();
  void start();
  /// Asks to stop; join() waits. A batch whose insert is under way is landed; what waits behind it stays in the log.
  void request_stop();
  void join();

  [[nodiscard]] LoaderStatus status() const;

 private:
  void run();
  [[nodiscard]] bool prepare();
  [[nodiscard]] Result<log::Offset> prepare_once();
  [[nodiscard]] Result<void> verify(log::Range range);
  [[nodiscard]] Result<void> recover_plan(log::Range plan);

  void build_batches(log::Offset next);
  [[nodiscard]] bool fill(LoadBatch& batch);
  [[nodiscard]] bool is_ready(const LoadBatch& batch, std::chrono::steady_clock::time_point began);
  [[nodiscard]] std::chrono::milliseconds linger() const;

  void land_batches();
  [[nodiscard]] bool land(LoadBatch& batch);
  [[nodiscard]] bool insert(LoadBatch& batch);
  [[nodiscard]] bool recover(const LoadBatch& batch);
  void confirm();

  /// Repeats `attempt` until it succeeds, with growing pauses; false where the loader stops first.
  [[nodiscard]] bool until_done(std::string_view what, const std::function<Result<void>()>& attempt);
  void note_failure(std::string_view what, const Error& error, unsigned failures);
  [[nodiscard]] bool pause(unsigned failures);
  [[nodiscard]] bool is_stopping() const;

  LoaderContext& context_;
  const log::Partition partition_;
  bool verified_ = false;
  IdentityWindow window_;  ///< Of the thread that prepares, then of the one that builds.
  Recovery recovery_;
  std::minstd_rand jitter_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  bool builder_done_ = false;
  bool lander_waits_ = false;                       ///< The store is idle, for this partition.
  std::unique_ptr<LoadBatch> free_[2];
  std::unique_ptr<LoadBatch> ready_;                ///< Built, waits to be landed.
  std::chrono::milliseconds last_insert_{0};
  LoaderStatus status_;
  log::Offset landed_ = 0;                          ///< Everything before has landed.
  std::optional<log::Offset> unconfirmed_;          ///< Landed, but a plan still stands for it.

  std::thread lander_;
};

}  // namespace marquee::ingest
