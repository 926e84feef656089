// The one builder of report SQL: values are bound parameters, names come from tables in this library.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "marquee/analytics/reports.h"

namespace marquee::analytics {

/// A column expression of a dimension, or an error "by: ...". `is_rollup`: over campaign_minute/hour, else over events.
[[nodiscard]] Result<std::string> dimension_expression(std::string_view name, bool is_rollup, std::size_t index,
                                                       clickhouse::Parameters& parameters);
/// Whether the campaign rollups have the dimension.
[[nodiscard]] bool is_in_rollup(std::string_view name);

/// The coarsest of campaign_hour, campaign_minute and events that answers the scope exactly: both ends on its grid.
[[nodiscard]] std::string cheapest_campaign_source(const Scope& scope);

/// " WHERE site_id = ... AND time >= ... AND NOT is_bot", with the values bound.
[[nodiscard]] std::string where(const Scope& scope, std::string_view time_column, clickhouse::Parameters& parameters);

/// Sums of impressions, viewable impressions and clicks over the source.
[[nodiscard]] std::string rate_columns(bool is_rollup);

}  // namespace marquee::analytics
