#include "query.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace marquee::analytics {
namespace {

struct Dimension {
  std::string_view name;
  std::string_view over_events;  ///< Empty: the column of that name.
  std::string_view over_rollup;  ///< Empty: not in the campaign rollups.
};

constexpr std::array kDimensions = {
    Dimension{"campaign_id", "campaign_id", "campaign_id"},
    Dimension{"ad_id", "ad_id", "ad_id"},
    Dimension{"slot_id", "slot_id", "slot_id"},
    Dimension{"position", "toString(position)", "toString(position)"},
    Dimension{"college_id", "college_id", "college_id"},
    Dimension{"policy", "policy", "policy"},
    Dimension{"hour", "formatDateTime(toStartOfHour(event_time), '%Y-%m-%dT%H:00:00Z')",
              "formatDateTime(toStartOfHour(time), '%Y-%m-%dT%H:00:00Z')"},
    Dimension{"day", "toString(toDate(event_time))", "toString(toDate(time))"},
    Dimension{"program", "program", ""},
    Dimension{"year_of_study", "toString(year_of_study)", ""},
    Dimension{"city", "city", ""},
    Dimension{"device", "device", ""},
    Dimension{"os", "os", ""},
    Dimension{"browser", "browser", ""},
    Dimension{"page_id", "page_id", ""},
};

const Dimension* find(std::string_view name) {
  const auto it = std::ranges::find(kDimensions, name, &Dimension::name);
  return it == kDimensions.end() ? nullptr : &*it;
}

bool is_on_grid(const Scope& scope, std::int64_t grain_ms) {
  return (!scope.from_ms || *scope.from_ms % grain_ms == 0) && (!scope.to_ms || *scope.to_ms % grain_ms == 0);
}

}  // namespace

std::vector<std::string> dimensions() {
  std::vector<std::string> names;
  for (const auto& dimension : kDimensions) names.emplace_back(dimension.name);
  return names;
}

bool is_in_rollup(std::string_view name) {
  const auto* dimension = find(name);
  return dimension != nullptr && !dimension->over_rollup.empty();
}

Result<std::string> dimension_expression(std::string_view name, bool is_rollup, std::size_t index,
                                         clickhouse::Parameters& parameters) {
  if (const auto* dimension = find(name))
    return std::string(is_rollup ? dimension->over_rollup : dimension->over_events);
  if (name.starts_with("props.") && name.size() > 6) {
    const auto parameter = fmt::format("prop{}", index);
    parameters[parameter] = name.substr(6);
    // Text without its quotes, anything else as JSON has it.
    return fmt::format("trim(BOTH '\"' FROM JSONExtractRaw(toString(props), {{{}:String}}))", parameter);
  }
  return Error::reject(fmt::format("by: \"{}\" is no dimension; there are {}, and props.<name>", name.substr(0, 100),
                                   fmt::join(dimensions(), ", ")));
}

std::string cheapest_campaign_source(const Scope& scope) {
  if (is_on_grid(scope, 3'600'000)) return "campaign_hour";
  if (is_on_grid(scope, 60'000)) return "campaign_minute";
  return "events";
}

std::string where(const Scope& scope, std::string_view time_column, clickhouse::Parameters& parameters) {
  parameters["site"] = scope.site;
  std::string text = " WHERE site_id = {site:String} AND NOT is_bot";
  if (scope.from_ms) {
    parameters["from"] = std::to_string(*scope.from_ms);
    text += fmt::format(" AND {} >= fromUnixTimestamp64Milli({{from:Int64}}, 'UTC')", time_column);
  }
  if (scope.to_ms) {
    parameters["to"] = std::to_string(*scope.to_ms);
    text += fmt::format(" AND {} < fromUnixTimestamp64Milli({{to:Int64}}, 'UTC')", time_column);
  }
  return text;
}

std::string rate_columns(bool is_rollup) {
  if (is_rollup) return "sum(impressions) AS shown, sum(viewable_impressions) AS seen, sum(clicks) AS clicked";
  // The same events as the rollups count: of the ad types, naming a campaign, an ad or a slot.
  return "countIf(event_type = 'impression' AND (campaign_id != '' OR ad_id != '' OR slot_id != '')) AS shown, "
         "countIf(event_type = 'viewable_impression' AND (campaign_id != '' OR ad_id != '' OR slot_id != '')) AS seen, "
         "countIf(event_type = 'click' AND (campaign_id != '' OR ad_id != '' OR slot_id != '')) AS clicked";
}

}  // namespace marquee::analytics
