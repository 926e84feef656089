// What the answers of several reports have in common.
#pragma once

#include "answers.h"
#include "marquee/analytics/reports.h"

namespace marquee::api {

/// {"site","from","to"}
[[nodiscard]] Json head(const analytics::Scope& scope);
[[nodiscard]] Json rate_json(const analytics::Rate& rate);
/// The same as text, without the braces.
void append_rate(std::string& out, const analytics::Rate& rate);
/// The object's text but for its closing brace, for members to follow. It must have one.
[[nodiscard]] std::string open_object(const Json& object);
/// 0 of nothing.
[[nodiscard]] Json share(std::uint64_t part, std::uint64_t whole);
[[nodiscard]] Json number_or_null(std::optional<double> value);
/// [low, high] of an estimate; null where it has none.
[[nodiscard]] Json bounds_json(const analytics::MetricValue& value);

/// "<dimension>=<value>,<value>" or "<dimension>!=<value>,<value>". A backslash before a comma or a backslash makes it
/// part of the value. Action::reject, "filter: ...", where it is neither.
[[nodiscard]] Result<analytics::Filter> filter_of(const std::string& text);
/// All the parameters `filter`.
[[nodiscard]] Result<std::vector<analytics::Filter>> filter_parameters(const http::Request& request);

}  // namespace marquee::api
