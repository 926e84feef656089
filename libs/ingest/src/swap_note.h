// Which days a rebuild is about to swap in, said beforehand, so that whoever takes its lock finishes what it began.
#pragma once

#include <string>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/clickhouse/client.h"

namespace marquee::ingest {

// REPLACE PARTITION that is cut off by kill -9 of the store may leave old and new rows (table_swap.h), and nothing in
// the rollup shows it. So the note is there before the first swap and goes after the last: as the comment of a table of
// the lock's database, which one statement makes, and which is inherited with that database.

/// Says so in `database`, instead of what was said there before.
[[nodiscard]] Result<void> note_swaps(clickhouse::Client& store, const std::string& database,
                                      const std::vector<std::string>& days);
[[nodiscard]] Result<void> forget_swaps(clickhouse::Client& store, const std::string& database);
/// Days (partition ids, ascending) that are noted in any of `databases`.
[[nodiscard]] Result<std::vector<std::string>> noted_swaps(clickhouse::Client& store,
                                                           const std::vector<std::string>& databases);

}  // namespace marquee::ingest
