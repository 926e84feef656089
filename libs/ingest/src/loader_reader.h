// Reads one partition of the log and builds its batches.
#pragma once

#include <thread>

#include "loader_context.h"
#include "loader_exchange.h"
#include "loader_window.h"

namespace marquee::ingest {

class PartitionReader {
 public:
  PartitionReader(LoaderContext& context, Exchange& exchange, log::Partition partition, std::size_t index);
  ~PartitionReader();
  PartitionReader(const PartitionReader&) = delete;
  PartitionReader& operator=(const PartitionReader&) = delete;

  /// Of the lander, for recovery, until start(); then of the reader's thread.
  [[nodiscard]] IdentityWindow& window() { return window_; }
  /// Builds batches from `next` on, until the exchange stops.
  void start(log::Offset next);

 private:
  void run(log::Offset next);
  [[nodiscard]] bool fill(LoadBatch& batch);
  [[nodiscard]] bool is_full(const LoadBatch& batch) const;

  LoaderContext& context_;
  Exchange& exchange_;
  const log::Partition partition_;
  const std::size_t index_;
  IdentityWindow window_;
  std::thread thread_;
};

}  // namespace marquee::ingest
