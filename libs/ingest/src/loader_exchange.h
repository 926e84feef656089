// Where the readers of several partitions hand their batches to the one lander that inserts them together.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "loader_batch.h"

namespace marquee::ingest {

/// Two batches per partition go round: one is built while the other is landed. Thread safe.
class Exchange {
 public:
  using Clock = std::chrono::steady_clock;

  /// A batch is wanted once it is `linger` old and the store has rested for half as long as its last insert took: what
  /// comes alone goes almost at once, and a store that takes long is given fewer and larger batches.
  Exchange(std::vector<log::Partition> partitions, std::chrono::milliseconds linger, std::size_t max_rows);

  // ---- For readers; `index` is of the partition in the list.
  /// An empty batch; waits for one. Null when the loader stops.
  [[nodiscard]] std::unique_ptr<LoadBatch> take_free(std::size_t index);
  /// Whether a batch that was begun at `began` should be handed over now.
  [[nodiscard]] bool wants(std::size_t index, Clock::time_point began) const;
  /// How long until it will be, as far as is known now; zero or less: now.
  [[nodiscard]] std::chrono::milliseconds until_wanted(Clock::time_point began) const;
  /// Hands over; waits while the partition's batch before has not been taken. False when the loader stops.
  [[nodiscard]] bool offer(std::size_t index, std::unique_ptr<LoadBatch> batch);

  // ---- For the lander.
  struct Taken {
    std::size_t index = 0;
    std::unique_ptr<LoadBatch> batch;
  };
  /// Waits for batches and takes those that are ready, one per partition, until max_rows are together. Empty after
  /// `limit` without any, or when the loader stops.
  [[nodiscard]] std::vector<Taken> take_ready(std::chrono::milliseconds limit);
  void give_back(std::vector<Taken> taken);
  /// An insert has ended just now.
  void set_last_insert(std::chrono::milliseconds took);

  // ---- For both.
  void request_stop();
  [[nodiscard]] bool is_stopping() const;
  /// False where the loader stops meanwhile.
  [[nodiscard]] bool pause(std::chrono::milliseconds length);

 private:
  struct Slot {
    std::vector<std::unique_ptr<LoadBatch>> free;
    std::unique_ptr<LoadBatch> ready;
  };
  [[nodiscard]] bool any_ready() const;
  [[nodiscard]] bool all_ready() const;
  [[nodiscard]] std::chrono::milliseconds until_wanted_locked(Clock::time_point began) const;

  const std::chrono::milliseconds linger_;
  const std::size_t max_rows_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Slot> slots_;
  std::size_t first_ = 0;  ///< Whose turn it is, so that a busy partition does not starve the others.
  bool stopping_ = false;
  bool lander_waits_ = false;
  bool gathering_ = false;    ///< A batch is ready; for a moment others may join it.
  Clock::time_point rested_;  ///< When the store will have rested from its last insert.
};

}  // namespace marquee::ingest
