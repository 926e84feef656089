// Where the readers of several partitions hand their batches to the one lander that inserts them together.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "loader_batch.h"

namespace marquee::ingest {

/// Two batches per partition go round: one is built while the other is landed. Thread safe.
class Exchange {
 public:
  using Clock = std::chrono::steady_clock;
  using Group = std::vector<std::unique_ptr<LoadBatch>>;  ///< Of several partitions, one of each.

  /// A batch is wanted once it is `linger` old and the store has rested for half as long as its last insert took: what
  /// comes alone goes almost at once, and a store that takes long is given fewer and larger batches.
  Exchange(std::chrono::milliseconds linger, std::size_t max_rows, std::size_t max_batches)
      : linger_(linger), max_rows_(max_rows), max_batches_(max_batches) {}

  void open(log::Partition partition);
  /// The partition's reader is sent away, and what it offered is dropped.
  void close(log::Partition partition);
  [[nodiscard]] bool is_open(log::Partition partition) const;

  // ---- For the partition's reader.
  /// An empty batch; waits for one. Null when the partition closes or the loader stops.
  [[nodiscard]] std::unique_ptr<LoadBatch> take_free(log::Partition partition);
  /// Whether a batch that was begun at `began` should be handed over now.
  [[nodiscard]] bool wants(log::Partition partition, Clock::time_point began) const;
  /// How long until it will be, as far as is known now; zero or less: now.
  [[nodiscard]] std::chrono::milliseconds until_wanted(Clock::time_point began) const;
  /// Hands over; waits while the partition's batch before has not been taken. False when the partition closes or the
  /// loader stops.
  [[nodiscard]] bool offer(std::unique_ptr<LoadBatch> batch);
  /// Gives back `batch`, takes back what was offered and waits until the lander has none of the partition: the reader
  /// begins anew.
  void recall(std::unique_ptr<LoadBatch> batch);
  /// Identities of rows that turned out to be dead letters: they did not land, so what comes with them is no repeat.
  [[nodiscard]] std::vector<std::uint64_t> take_forgotten(log::Partition partition);
  /// False where the partition closes or the loader stops meanwhile.
  [[nodiscard]] bool pause(log::Partition partition, std::chrono::milliseconds length);

  // ---- For the lander.
  /// Waits for batches and takes those that are ready, one per partition, until max_rows or max_batches are together.
  /// Empty after `limit` without any, or when the loader stops. A partition whose batch is taken is busy until it is
  /// given back.
  [[nodiscard]] Group take_ready(std::chrono::milliseconds limit);
  void give_back(Group group);
  void forget(log::Partition partition, std::uint64_t identity);
  /// An insert has ended just now.
  void set_last_insert(std::chrono::milliseconds took);
  /// False where the loader stops meanwhile.
  [[nodiscard]] bool pause(std::chrono::milliseconds length);

  /// Receipt of the oldest event that was read of the partition and has not landed, milliseconds since the Unix epoch;
  /// nullopt where there is none.
  [[nodiscard]] std::optional<std::int64_t> oldest_waiting_ms(log::Partition partition) const;

  // ---- For both.
  /// Waits until no batch of the partition is with the lander.
  void wait_idle(log::Partition partition);
  void request_stop();
  [[nodiscard]] bool is_stopping() const;

 private:
  struct Slot {
    std::vector<std::unique_ptr<LoadBatch>> free;
    std::unique_ptr<LoadBatch> ready;
    std::vector<std::uint64_t> forgotten;
    bool is_closed = false;
    bool is_busy = false;
    std::int64_t busy_oldest_ms = 0;  ///< Receipt of the oldest event that is with the lander.
  };
  [[nodiscard]] bool is_open_locked(log::Partition partition) const;
  [[nodiscard]] bool any_ready() const;
  [[nodiscard]] bool all_ready() const;
  [[nodiscard]] std::chrono::milliseconds until_wanted_locked(Clock::time_point began) const;

  const std::chrono::milliseconds linger_;
  const std::size_t max_rows_;
  const std::size_t max_batches_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<log::Partition, Slot> slots_;
  log::Partition last_ = 0;  ///< Taken last, so that a busy partition does not starve the others.
  bool stopping_ = false;
  bool lander_waits_ = false;
  bool gathering_ = false;    ///< A batch is ready; for a moment others may join it.
  Clock::time_point rested_;  ///< When the store will have rested from its last insert.
};

}  // namespace marquee::ingest
