// What the answers of several reports have in common.
#pragma once

#include "answers.h"
#include "marquee/analytics/reports.h"

namespace marquee::api {

/// {"site","from","to"}
[[nodiscard]] Json head(const analytics::Scope& scope);
[[nodiscard]] Json rate_json(const analytics::Rate& rate);
[[nodiscard]] Json number_or_null(std::optional<double> value);

/// The parameters `filter`: "<dimension>=<value>,<value>" or "<dimension>!=<value>,<value>". A backslash before a comma
/// or a backslash makes it part of the value. Action::reject names the field.
[[nodiscard]] Result<std::vector<analytics::Filter>> filter_parameters(const http::Request& request);

}  // namespace marquee::api
