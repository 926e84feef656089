// Lands the batches of its partitions, several in one insert: plans, inserts, recovers, confirms.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "loader_context.h"
#include "loader_exchange.h"
#include "loader_reader.h"
#include "recovery.h"

namespace marquee::ingest {

/// One thread, and one more per partition that reads ahead. Thread safe.
class Lander {
 public:
  Lander(LoaderContext& context, std::vector<log::Partition> partitions);
  ~Lander();
  Lander(const Lander&) = delete;
  Lander& operator=(const Lander&) = delete;

  void start();
  /// Asks to stop; join() waits. An insert under way is landed; what waits behind it stays in the log.
  void request_stop() { exchange_.request_stop(); }
  void join();
  /// last_error is the context's.
  [[nodiscard]] LoaderStatus status() const;

 private:
  using Group = std::vector<Exchange::Taken>;

  /// What is known of a partition.
  struct Standing {
    log::Partition partition = 0;
    bool is_verified = false;
    log::Offset landed = 0;                  ///< Everything before has landed.
    std::optional<log::Offset> unconfirmed;  ///< Landed, but the plan for it still stands.
  };

  void run();
  // Before the first batch.
  [[nodiscard]] Result<void> prepare(std::size_t index);
  [[nodiscard]] Result<void> verify(std::size_t index, log::Range range);
  [[nodiscard]] Result<void> recover_plan(std::size_t index, log::Range plan);
  // Batch by batch.
  [[nodiscard]] bool land(const Group& group);
  [[nodiscard]] bool plan(const Group& group);
  [[nodiscard]] bool insert(const Group& group);
  [[nodiscard]] bool recover(const Group& group);
  void note_landed(const Group& group);
  void confirm();

  /// Repeats `attempt` until it succeeds, with growing pauses; false where the loader stops first.
  [[nodiscard]] bool until_done(log::Partition partition, std::string_view what,
                                const std::function<Result<void>()>& attempt);

  LoaderContext& context_;
  Exchange exchange_;
  Recovery recovery_;
  std::vector<std::unique_ptr<PartitionReader>> readers_;
  mutable std::mutex mutex_;
  std::vector<Standing> standings_;
  LoaderStatus status_;
  std::string body_;  ///< Of the insert under way.
  std::thread thread_;
};

}  // namespace marquee::ingest
