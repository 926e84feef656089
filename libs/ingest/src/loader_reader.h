// Takes over one partition of the log, reads it and builds its batches.
#pragma once

#include <functional>
#include <thread>

#include "loader_context.h"
#include "loader_exchange.h"
#include "marquee/event/identity_window.h"

namespace marquee::ingest {

/// Runs a thread from its making until the exchange closes the partition.
class PartitionReader {
 public:
  /// `on_standing` hears, on the reader's thread, everything before which offset has landed.
  PartitionReader(LoaderContext& context, Exchange& exchange, log::Partition partition,
                  std::function<void(log::Offset)> on_standing);
  ~PartitionReader();
  PartitionReader(const PartitionReader&) = delete;
  PartitionReader& operator=(const PartitionReader&) = delete;

 private:
  void run();
  /// Builds and offers batches by that look at what has landed. True where the loader takes another: the partition must
  /// be taken over anew. False where it closes or the loader stops.
  [[nodiscard]] bool build_batches(log::Offset next, std::uint64_t look);
  [[nodiscard]] bool fill(LoadBatch& batch, std::uint64_t look);
  [[nodiscard]] bool is_full(const LoadBatch& batch) const;

  LoaderContext& context_;
  Exchange& exchange_;
  const log::Partition partition_;
  const std::function<void(log::Offset)> on_standing_;
  event::IdentityWindow window_;
  std::thread thread_;
};

}  // namespace marquee::ingest
