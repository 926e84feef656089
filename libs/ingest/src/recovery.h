// Recovery: completes what a crash may have left half landed. See "Exactly once" in ARCHITECTURE.md.
#pragma once

#include <span>
#include <vector>

#include "loader_batch.h"
#include "loader_store.h"
#include "marquee/log/event_log.h"

namespace marquee::ingest {

/// A row that the store refuses for its content, as the dead letter that it is to be.
struct RefusedRow {
  std::uint64_t identity = 0;
  DeadLetter letter;
};

/// Those of `rows` that `landed` has not; both ascending by offset. Compared with the identity, so that rows of an
/// older log with the same offsets are not taken for these.
[[nodiscard]] std::vector<Row> missing_rows(std::span<const Row> rows, const std::vector<Row>& landed);

/// The store refused the rows for what they hold, and would refuse them again. Any other refusal is the store's own
/// fault and is waited out: a fault must never turn events into dead letters.
[[nodiscard]] bool is_about_content(const clickhouse::InsertFailure& failure);

/// Thread safe. Every step may be cut off and begun again: each looks at what is there instead of remembering what it
/// did.
class Recovery {
 public:
  Recovery(LoaderStore& store, log::EventLog& log) : store_(store), log_(log) {}

  /// Brings the events table to hold each row of `batch` exactly once, but for those that are refused, which it gives;
  /// the rollups are left as they are. Fails with Action::retry where the store is away, with Action::reject where
  /// `loader` was replaced.
  [[nodiscard]] Result<std::vector<RefusedRow>> complete_events(const LoadBatch& batch, std::uint64_t loader);

 private:
  using Refused = std::vector<RefusedRow>;
  [[nodiscard]] Result<void> complete(log::Partition partition, const Row* begin, const Row* end, std::uint64_t loader,
                                      Refused& refused);
  [[nodiscard]] Result<std::vector<Row>> missing(log::Partition partition, const Row* begin, const Row* end);
  [[nodiscard]] Result<void> refuse(log::Partition partition, const Row& row, const clickhouse::InsertFailure& failure,
                                    Refused& refused);
  [[nodiscard]] Result<std::string> block_of(log::Partition partition, const std::vector<Row>& rows,
                                             std::uint64_t loader, std::string& columns);

  LoaderStore& store_;
  log::EventLog& log_;
};

/// Records of the `max_records` offsets from `from` on, where one is known to be: a log that is on other machines may
/// need a moment to give it. None, beginning later, where there is a gap.
[[nodiscard]] Result<log::Records> read_known(log::EventLog& log, log::Partition partition, log::Offset from,
                                              std::size_t max_records);

}  // namespace marquee::ingest
