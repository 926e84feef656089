// Offsets by partition, in the store's queries.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <string_view>
#include <vector>

#include "marquee/clickhouse/client.h"
#include "marquee/log/event_log.h"

namespace marquee::ingest {

/// One for each partition of the log.
using Offsets = std::vector<log::Offset>;

/// Rows of the log's partitions at the offsets {from} and later.
inline constexpr std::string_view kFrom =
    "(log_partition < length({from:Array(UInt64)}) AND "
    "log_offset >= arrayElement({from:Array(UInt64)}, log_partition + 1))";
/// Holds wherever kFrom does, and spares the store those parts that hold only older rows.
inline constexpr std::string_view kNotOlder = "log_offset >= arrayMin({from:Array(UInt64)})";

/// Rows of one partition in a range of offsets, with its parameters.
inline constexpr std::string_view kOfRange =
    "log_partition = {p:UInt16} AND log_offset >= {begin:UInt64} AND log_offset < {end:UInt64}";

[[nodiscard]] inline clickhouse::Parameters of_range(log::Partition partition, log::Range range) {
  return {{"p", std::to_string(partition)}, {"begin", std::to_string(range.begin)}, {"end", std::to_string(range.end)}};
}

[[nodiscard]] inline clickhouse::Parameters from_parameter(const Offsets& from) {
  return {{"from", fmt::format("[{}]", fmt::join(from, ","))}};
}

}  // namespace marquee::ingest
