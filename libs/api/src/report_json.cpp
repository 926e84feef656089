#include "report_json.h"

#include <fmt/format.h>

#include <iterator>

namespace marquee::api {
namespace {

std::vector<std::string> split_values(std::string_view text) {
  std::vector<std::string> values(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == ',' || text[i + 1] == '\\')) {
      values.back() += text[++i];
    } else if (text[i] == ',') {
      values.emplace_back();
    } else {
      values.back() += text[i];
    }
  }
  return values;
}

}  // namespace

Json head(const analytics::Scope& scope) {
  return {{"site", scope.site}, {"from", time_or_null(scope.from_ms)}, {"to", time_or_null(scope.to_ms)}};
}

Json rate_json(const analytics::Rate& rate) {
  return {{"impressions", rate.impressions},
          {"viewable_impressions", rate.viewable_impressions},
          {"clicks", rate.clicks},
          {"ctr", rate.ctr},
          {"low", rate.low},
          {"high", rate.high}};
}

void append_rate(std::string& out, const analytics::Rate& rate) {
  fmt::format_to(std::back_inserter(out),
                 R"("impressions":{},"viewable_impressions":{},"clicks":{},"ctr":{},"low":{},"high":{})",
                 rate.impressions, rate.viewable_impressions, rate.clicks, rate.ctr, rate.low, rate.high);
}

std::string open_object(const Json& object) {
  auto text = json_text(object);
  text.pop_back();
  return text;
}

Json share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

Json number_or_null(std::optional<double> value) { return value ? Json(*value) : Json(nullptr); }

Json bounds_json(const analytics::MetricValue& value) {
  return value.low && value.high ? Json::array({*value.low, *value.high}) : Json(nullptr);
}

Result<analytics::Filter> filter_of(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return Error::reject(
        fmt::format("filter: expected <dimension>=<values> or <dimension>!=<values>, got \"{}\"", text.substr(0, 100)));
  const bool is_negated = text[equals - 1] == '!';
  return analytics::Filter{text.substr(0, equals - (is_negated ? 1 : 0)),
                           split_values(std::string_view(text).substr(equals + 1)), is_negated};
}

Result<std::vector<analytics::Filter>> filter_parameters(const http::Request& request) {
  std::vector<analytics::Filter> filters;
  for (const auto& [name, text] : request.query_parameters()) {
    if (name != "filter") continue;
    auto filter = filter_of(text);
    if (!filter) return filter.error();
    filters.push_back(std::move(*filter));
  }
  return filters;
}

}  // namespace marquee::api
