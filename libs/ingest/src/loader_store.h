// What the loader asks of the store and writes to it.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "loader_batch.h"
#include "loader_window.h"
#include "marquee/clickhouse/client.h"
#include "marquee/log/event_log.h"

namespace marquee::ingest {

/// Thread safe.
class LoaderStore {
 public:
  explicit LoaderStore(clickhouse::Client& client) : client_(client) {}

  using Inserted = std::expected<void, clickhouse::InsertFailure>;
  /// Inserts batches of several partitions into the events table and every rollup, together; `body` is their blocks.
  [[nodiscard]] Inserted insert(const std::vector<const LoadBatch*>& batches, const std::string& body);
  /// Inserts into the events table alone. `body` is a Native block of `columns`, of rows of `range`.
  [[nodiscard]] Inserted insert_events_only(log::Partition partition, log::Range range, const std::string& columns,
                                            const std::string& body);
  /// Writes dead letters; writing one again changes nothing.
  [[nodiscard]] Inserted insert_dead_letters(log::Partition partition, const std::vector<DeadLetter>& letters);

  /// Error (Action::retry) where the store is away, or an insert of this partition still runs in it.
  [[nodiscard]] Result<void> settled(log::Partition partition);
  /// Rows of `range` in the events table, ascending by offset.
  [[nodiscard]] Result<std::vector<Row>> landed(log::Partition partition, log::Range range);
  /// Fills `window` with the last identities of the partition that landed before `end`.
  [[nodiscard]] Result<void> fill_window(log::Partition partition, log::Offset end, std::size_t capacity,
                                         IdentityWindow& window);
  [[nodiscard]] clickhouse::Client& client() { return client_; }

 private:
  clickhouse::Client& client_;
};

}  // namespace marquee::ingest
