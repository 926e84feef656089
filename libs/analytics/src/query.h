// The one builder of report SQL: values are bound parameters, names come from tables in this library.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "marquee/analytics/reports.h"

namespace marquee::analytics {

/// A question to the store, whole.
struct StoreQuery {
  std::string sql;
  clickhouse::Parameters parameters;
  Scope data;  ///< What the answer depends on.
};

/// A dimension as text over the events, or over a rollup that has it, or an error that names it. `time`: what holds the
/// time there.
[[nodiscard]] Result<std::string> dimension_expression(std::string_view name, std::string_view time);
/// What an event has under this path of its props, as text; empty: nothing.
[[nodiscard]] std::string props_expression(std::string_view path);
/// A value of Array(String).
[[nodiscard]] std::string array_parameter(const std::vector<std::string>& values);

/// Whether both ends, where there are any, are multiples of `grain_ms`.
[[nodiscard]] bool is_on_grid(const Scope& scope, std::int64_t grain_ms);

/// The id of the partition that holds this time's day, in the events table and in every rollup.
[[nodiscard]] std::string partition_of(std::int64_t time_ms);

/// Action::reject where the scope makes no sense.
[[nodiscard]] Result<void> check(const Scope& scope);

/// " AND ..." for filters over the events, or over a rollup that has their dimensions, with the values bound. `time`:
/// what holds the time there. Action::reject, "filter: ...", names what makes no sense. `name`: what the names of the
/// bound values begin with; lists of one query need different ones. For arms the events need UserDimensions::joins.
[[nodiscard]] Result<std::string> filter_conditions(const std::vector<Filter>& filters, std::string_view time,
                                                    const Scope& scope, clickhouse::Parameters& parameters,
                                                    std::string_view name = "filter");

/// Action::reject, "<parameter>: ...", names what is no event type.
[[nodiscard]] Result<void> check_event_types(const std::vector<std::string>& types, std::string_view parameter);

/// The column of `source` that holds an event's time.
[[nodiscard]] std::string time_column(std::string_view source);

/// " WHERE site_id = ... AND time >= ... AND NOT is_bot", with the values bound.
[[nodiscard]] std::string where(const Scope& scope, std::string_view time_column, clickhouse::Parameters& parameters);

}  // namespace marquee::analytics
