// Recovery: completes what a crash may have left half landed. See "Exactly once" in ARCHITECTURE.md.
#pragma once

#include <set>

#include "loader_batch.h"
#include "loader_store.h"
#include "marquee/ingest/rollup.h"
#include "marquee/log/event_log.h"

namespace marquee::ingest {

/// Every step may be cut off and begun again: each looks at what is there instead of remembering what it did.
class Recovery {
 public:
  Recovery(LoaderStore& store, log::EventLog& log, RollupGate& gate) : store_(store), log_(log), gate_(gate) {}

  /// Brings the events table to hold each row of `batch` exactly once; the rollups are left as they are. Rows that the
  /// store refuses for their content go to dead letters. Fails with Action::retry where the store is away.
  [[nodiscard]] Result<void> complete_events(const LoadBatch& batch);
  /// Rebuilds `days` of every rollup from the events table, with inserts kept away.
  [[nodiscard]] Result<void> rebuild(const std::set<Day>& days);

 private:
  [[nodiscard]] Result<void> complete(log::Partition partition, const Row* begin, const Row* end);
  [[nodiscard]] Result<void> bury(log::Partition partition, const Row& row, const std::string& reason);

  LoaderStore& store_;
  log::EventLog& log_;
  RollupGate& gate_;
};

}  // namespace marquee::ingest
