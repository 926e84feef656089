// Puts new tables in the place of live ones, all of them or none, whoever dies meanwhile.
#pragma once

#include <string>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/clickhouse/client.h"
#include "marquee/ingest/rollup.h"

namespace marquee::ingest {

// How: the new tables are moved into the database of the rebuild lock, `events` last. That is the decision: from then
// on whoever takes the lock finishes the swap, and as long as that database is there the store refuses inserts. Each
// table is then exchanged for the live one, which the store does in one step.
//
// Why EXCHANGE TABLES and not REPLACE PARTITION, as a rebuild does. Measured on libchdb 26.7 with kill -9 of the store
// at random moments of the statement, partitions of eight parts: after REPLACE PARTITION old and new rows were both
// there in 36 of 100 cases (it adds the new parts first and then covers the old ones); after EXCHANGE TABLES (60 kills)
// and RENAME TABLE (60) the table was always the old or the new one. A view's target is found by name, so the loaders'
// next insert lands in the new table; SELECTs that run keep the old one and do not hold the exchange up (9 ms beside
// one).
//
// An exchange that is done twice is undone, so it must be known whether it was: a new table's comment is "rewind
// <number>", with numbers that only grow, and a table is exchanged only for one with a lower number. And one whose
// outcome is not known may still come: whoever takes over moves the tables into a database of another name first, where
// a statement that is late does not find them.

/// Comment of a table that the rewind of this number made.
[[nodiscard]] std::string rewind_comment(std::uint64_t number);

/// Swaps in `tables` (names without database) of the database `from`, made by the rewind of this number, and shuts out
/// every loader, which thereby learns anew what has landed. The tables that were live are in `from` afterwards. Where
/// it fails, the lock must be let go: nothing is swapped in, or all of it when the lock is taken the next time.
[[nodiscard]] Result<void> swap_in(clickhouse::Client& store, RebuildLock& lock, const std::string& from,
                                   std::vector<std::string> tables);

/// Finishes the swap that is decided in any of the databases `left`, if there is one, in `own`.
[[nodiscard]] Result<void> inherit_swap(clickhouse::Client& store, const std::vector<std::string>& left,
                                        const std::string& own);

/// Whether marquee.events was made by the rewind of this number.
[[nodiscard]] Result<bool> is_swapped_in(clickhouse::Client& store, std::uint64_t number);

}  // namespace marquee::ingest
