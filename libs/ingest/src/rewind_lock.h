// The right to rewind, and what a rewind that died leaves behind.
#pragma once

#include <memory>
#include <set>

#include "loader_batch.h"
#include "marquee/base/result.h"
#include "marquee/clickhouse/client.h"
#include "store_lock.h"

namespace marquee::ingest {

/// One process has it at a time; the database that goes with it is where new tables are made. What a rewind left that
/// died is mended and cleared away first. Action::retry where another has it.
[[nodiscard]] Result<std::unique_ptr<StoreLock>> take_rewind_lock(clickhouse::Client& store);

/// Notes with the lock that rows of these days are about to come into the live events table. Where the holder dies
/// before it has counted the rollups of those days again, whoever takes the lock next does.
[[nodiscard]] Result<void> note_days(clickhouse::Client& store, const StoreLock& lock, const std::set<Day>& days);

}  // namespace marquee::ingest
