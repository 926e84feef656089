// What the loader asks of the store and writes to it.
#pragma once

#include <cstdint>
#include <expected>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "loader_batch.h"
#include "marquee/clickhouse/client.h"
#include "marquee/event/identity_window.h"
#include "marquee/log/event_log.h"

namespace marquee::ingest {

/// A database with an events table beside the live one, and with what leads to it alone.
struct EventsBeside {
  std::string database;
  std::string mark;  ///< Of the inserts into it: what runs in the store is known by its comment.
};

/// The shards of the store; partition p is on shard p mod their number. Thread safe.
class LoaderStore {
 public:
  /// `shards`, at least one, outlive it. Where not `replicated`, the tables of a shard have no other replicas to wait
  /// for.
  explicit LoaderStore(std::vector<clickhouse::Client*> shards, bool replicated = false);
  /// Of a store of one shard without replicas; where `beside` is given, of that events table.
  explicit LoaderStore(clickhouse::Client& store, std::optional<EventsBeside> beside = std::nullopt);

  using Inserted = std::expected<void, clickhouse::InsertFailure>;
  /// Inserts batches of several partitions into the events table and every rollup, together; `body` is their blocks.
  /// All of a body or, where the store shuts this loader out (is_replaced, is_rebuilding), none of it passes.
  [[nodiscard]] Inserted insert(const std::vector<const LoadBatch*>& batches, const std::string& body,
                                const clickhouse::Settings& further = {});
  /// Inserts into the events table alone. `body` is a Native block of `columns`, of rows of `range`, for `loader`.
  [[nodiscard]] Inserted insert_events_only(log::Partition partition, log::Range range, const std::string& columns,
                                            const std::string& body, std::uint64_t loader);

  /// Another loader took over a plan of this one, and its inserts are refused for good.
  [[nodiscard]] static bool is_replaced(const clickhouse::InsertFailure& failure);
  /// Rollups are being rebuilt; the insert may be sent again soon.
  [[nodiscard]] static bool is_rebuilding(const clickhouse::InsertFailure& failure);

  /// Makes the loader with this token known to shut_out_all().
  [[nodiscard]] Result<void> introduce(std::uint64_t loader);
  /// Somebody has changed what has landed behind the loaders' backs: shuts out each that was introduced before this
  /// returns, and makes it known as out of date.
  [[nodiscard]] Result<void> shut_out_all();
  /// What the loader with this token knows of what has landed is out of date.
  [[nodiscard]] Result<bool> is_out_of_date(std::uint64_t loader);

  /// An insert of the loader with this token may be on its way to the partition's shard without an answer, as one of
  /// this process's whose connection broke is by itself.
  void doubt(std::uint64_t loader, log::Partition partition);
  /// Of the partition's shard: loaders with such inserts that are not shut out yet.
  [[nodiscard]] std::vector<std::uint64_t> doubted(log::Partition partition) const;
  /// Says that all of the plan of the loader with this token for `range` has landed, or asks whether that was said.
  [[nodiscard]] Result<void> note_landed(std::uint64_t loader, log::Partition partition, log::Range range);
  [[nodiscard]] Result<bool> is_noted_landed(std::uint64_t loader, log::Partition partition, log::Range range);
  /// From when this returns, no insert that begins on the partition's shard carries rows of the loader with this token.
  /// Each of the shard's replicas must answer.
  [[nodiscard]] Result<void> shut_out(std::uint64_t loader, log::Partition partition);
  /// Error (Action::retry) where a replica of the shard is away, or an insert of this partition still runs in it.
  [[nodiscard]] Result<void> settled(log::Partition partition);
  /// What has landed on any replica of the partition's shard is seen by landed() and fill_window() from now on.
  [[nodiscard]] Result<void> catch_up(log::Partition partition);
  /// Rows of `range` in the events table, ascending by offset.
  [[nodiscard]] Result<std::vector<Row>> landed(log::Partition partition, log::Range range);
  /// The same in no order, each with what kHash gives for it.
  [[nodiscard]] Result<std::vector<std::pair<Row, std::uint64_t>>> landed_hashes(log::Partition partition,
                                                                                 log::Range range);
  /// What makes an event unique, as the store can find it again.
  static constexpr std::string_view kHash = "cityHash64(site_id, session_id, seq, external_id)";
  /// Fills `window` with the last identities of the partition that landed before `end`.
  [[nodiscard]] Result<void> fill_window(log::Partition partition, log::Offset end, std::size_t capacity,
                                         event::IdentityWindow& window);
  [[nodiscard]] clickhouse::Client& client(log::Partition partition) { return *shards_[shard(partition)]; }

 private:
  [[nodiscard]] std::size_t shard(log::Partition partition) const { return partition % shards_.size(); }
  /// "marquee.events"
  [[nodiscard]] std::string name(log::Partition partition, std::string_view table);
  [[nodiscard]] clickhouse::QueryOptions reading(log::Partition partition) const;
  /// Keeps in mind what had no answer.
  Inserted noted(Inserted inserted, std::uint64_t loader, log::Partition partition);

  const std::vector<clickhouse::Client*> shards_;
  const bool replicated_;
  const std::optional<EventsBeside> beside_;
  mutable std::mutex mutex_;
  std::set<std::pair<std::size_t, std::uint64_t>> doubted_;  ///< Shard and loader. Guarded by mutex_, as is the next.
  std::vector<std::optional<std::size_t>> caught_up_;        ///< By shard: the replica that is read from.
};

}  // namespace marquee::ingest
