// Measures by dimensions, from the cheapest source that answers exactly: what the tables of reports are made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cached_store.h"
#include "marquee/analytics/reports.h"
#include "sample.h"

namespace marquee::analytics {

struct Selection {
  TableRequest table;
  std::vector<std::string_view> measures;  ///< At least one.
  std::size_t order_by = 0;                ///< Of the measures; most first.
  std::optional<std::size_t> order_per;    ///< The order is that of measures[order_by] / measures[order_per].
  bool only_events = false;                ///< Whatever else could answer.
};

struct SelectedRow {
  std::vector<std::string> keys;
  std::vector<std::int64_t> now, before;  ///< A value of each measure; `before` is empty without comparison.
};

struct Selected {
  TableExtent extent;
  SelectedRow total;  ///< Of everything in the scope and the filters, without keys.
  std::vector<SelectedRow> rows;
};

/// Action::reject names the parameter that makes no sense: site, from, to, by, filter, compare, limit.
[[nodiscard]] Result<Selected> select(CachedStore& store, const Selection& selection);

/// How many events select() would read, by the store's estimate; 0 where a rollup answers.
[[nodiscard]] Result<std::uint64_t> events_to_read(clickhouse::Client& store, const Selection& selection);

struct SampledRow {
  std::vector<std::string> keys;
  std::vector<SampledMeasure> now, before;
};
struct Sampled {
  Share share;
  TableExtent extent;  ///< Of rows that the sample has.
  SampledRow total;
  std::vector<SampledRow> rows;
};

/// The same from the events of a share of the users, in (0, 1]; Action::reject, "sample: ...", of another.
[[nodiscard]] Result<Sampled> select_sample(CachedStore& store, const Selection& selection, double fraction);

}  // namespace marquee::analytics
