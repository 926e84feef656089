// A rollup's SELECT over other sources than what is being inserted.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "marquee/base/result.h"
#include "marquee/clickhouse/client.h"
#include "marquee/ingest/rollup.h"

namespace marquee::ingest {

/// For statements that read or write a whole day: they may take as long as they take. On the replica that decides who
/// may rebuild.
[[nodiscard]] clickhouse::QueryOptions heavy();

/// INSERT INTO `target` what the rollup's SELECT makes of `source`, a table or a subquery in parentheses.
[[nodiscard]] Result<std::string> insert_select(clickhouse::Client& store, const Rollup& rollup,
                                                std::string_view target, std::string_view source);

/// "(SELECT * FROM table WHERE its partition is one of the days)".
[[nodiscard]] std::string rows_of_days(std::string_view table, std::span<const std::string> days);

}  // namespace marquee::ingest
