#include "marquee/analytics/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "measures.h"
#include "spans.h"

namespace marquee::analytics {
namespace {

// Money is summed as whole 1/10,000, so that a sum does not depend on its order.
constexpr double kMoney = 1e-4;

constexpr std::array kMetrics = {
    Metric{"impressions", MetricUnit::count, "impressions", "", 1, "Ads that were rendered"},
    Metric{"viewable_impressions", MetricUnit::count, "viewable_impressions", "", 1,
           "Ads of which half was in view for a second (IAB/MRC)"},
    Metric{"hovers", MetricUnit::count, "hovers", "", 1, "Pointers that rested on an ad"},
    Metric{"clicks", MetricUnit::count, "clicks", "", 1, "Clicks on an ad"},
    Metric{"conversions", MetricUnit::count, "conversions", "", 1, "What an ad was for"},
    Metric{"ctr", MetricUnit::proportion, "clicks", "impressions", 1, "Clicks of an impression"},
    Metric{"viewable_ctr", MetricUnit::proportion, "clicks", "viewable_impressions", 1,
           "Clicks of a viewable impression"},
    Metric{"viewability", MetricUnit::proportion, "viewable_impressions", "impressions", 1,
           "Impressions that were viewable"},
    Metric{"conversion_rate", MetricUnit::proportion, "conversions", "clicks", 1, "Conversions of a click"},
    Metric{"spend", MetricUnit::money, "spend_e4", "", kMoney, "What impressions and clicks cost: their value"},
    Metric{"revenue", MetricUnit::money, "revenue_e4", "", kMoney, "What conversions brought: their value"},
    Metric{"ecpm", MetricUnit::money, "spend_e4", "impressions", kMoney * 1000, "Spend of a thousand impressions"},
    Metric{"dwell", MetricUnit::ms, "dwell_ms", "hovers", 1, "Time that a hover lasted, on average"},
    Metric{"visible_time", MetricUnit::ms, "visible_ms", "impressions", 1,
           "Time that an impression was in view, on average"},
    Metric{"reach", MetricUnit::count, "users_shown", "", 1, "Users with an impression, those without key left out"},
    Metric{"frequency", MetricUnit::ratio, "impressions_of_users", "users_shown", 1,
           "Impressions of each user who had one"},
};

constexpr std::string_view kEventMinute = "formatDateTime(toStartOfMinute({0}), '%Y-%m-%dT%H:%i:00Z')";
constexpr std::string_view kEventHour = "formatDateTime(toStartOfHour({0}), '%Y-%m-%dT%H:00:00Z')";
constexpr std::string_view kEventDay = "toString(toDate({0}))";
constexpr std::string_view kHourOfDay = "leftPad(toString(toHour({0})), 2, '0')";

constexpr std::string_view kLayout =
    "multiIf(viewport_width = 0, '', viewport_width < 600, 'narrow', viewport_width < 1024, 'medium', 'wide')";

constexpr std::array kDimensions = {
    Dimension{"campaign_id", "", "Campaign"},
    Dimension{"ad_id", "", "Ad"},
    Dimension{"slot_id", "", "Slot"},
    Dimension{"position", "toString(position)", "Position within the slot", 0, KeyType::number},
    Dimension{"college_id", "", "College of the user"},
    Dimension{"policy", "", "Policy that chose the ad"},
    Dimension{"day", kEventDay, "Day (UTC)", 24 * kHour, KeyType::day},
    Dimension{"hour", kEventHour, "Hour (UTC)", kHour, KeyType::time},
    Dimension{"hour_of_day", kHourOfDay, "Hour of the day, 00 to 23 (UTC)", kHour},
    Dimension{"minute", kEventMinute, "Minute (UTC)", kHour / 60, KeyType::time},
    Dimension{"program", "", "Program of the user"},
    Dimension{"year_of_study", "toString(year_of_study)", "Year of study of the user", 0, KeyType::number},
    Dimension{"city", "", "City of the user"},
    Dimension{"device", "", "Device"},
    Dimension{"layout", kLayout, "Width of the viewport: narrow (below 600), medium (below 1024), wide"},
    Dimension{"os", "", "Operating system"},
    Dimension{"browser", "", "Browser"},
    Dimension{"page_id", "", "Page"},
    Dimension{"referrer_host", "", "Host that the user came from"},
    Dimension{"course_id", "", "Course"},
    Dimension{"consent", "toString(consent)", "What the user consented to"},
    Dimension{"segment", "", "Segment that the user is in; an event counts in each of them"},
};

enum class Sum { rows, value, users };
struct Measure {
  std::string_view name;
  Sum sum = Sum::rows;
  std::string_view of;          ///< What Sum::value adds up, what Sum::users tells apart.
  std::string_view event_type;  ///< Empty: of every ad type. Else one, or several as SQL.
  std::string_view column;      ///< Of the rollups of delivery; empty: not there.
};
constexpr std::string_view kE4 = "toInt64(round(value * 10000))";
constexpr std::array kMeasures = {
    Measure{"impressions", Sum::rows, "", "event_type = 'impression'", "impressions"},
    Measure{"viewable_impressions", Sum::rows, "", "event_type = 'viewable_impression'", "viewable_impressions"},
    Measure{"hovers", Sum::rows, "", "event_type = 'hover'", "hovers"},
    Measure{"clicks", Sum::rows, "", "event_type = 'click'", "clicks"},
    Measure{"conversions", Sum::rows, "", "event_type = 'conversion'", "conversions"},
    Measure{"dwell_ms", Sum::value, "dwell_ms", "", "dwell_ms"},
    Measure{"visible_ms", Sum::value, "visible_ms", "", "visible_ms"},
    Measure{"spend_e4", Sum::value, kE4, "event_type IN ('impression', 'click')", "spend_e4"},
    Measure{"revenue_e4", Sum::value, kE4, "event_type = 'conversion'", "revenue_e4"},
    Measure{"users_shown", Sum::users, "user_key", "event_type = 'impression' AND user_key != 0", ""},
    Measure{"impressions_of_users", Sum::rows, "", "event_type = 'impression' AND user_key != 0", ""},
};

const Measure& known_measure(std::string_view name) { return *std::ranges::find(kMeasures, name, &Measure::name); }

}  // namespace

std::string_view name_of(MetricUnit unit) {
  switch (unit) {
    case MetricUnit::count:
      return "count";
    case MetricUnit::money:
      return "money";
    case MetricUnit::ms:
      return "ms";
    case MetricUnit::proportion:
      return "proportion";
    case MetricUnit::ratio:
      return "ratio";
  }
  return "";
}

std::span<const Metric> metrics() { return kMetrics; }

std::span<const Dimension> dimensions() { return kDimensions; }

Result<const Metric*> find_metric(std::string_view name) {
  if (const auto it = std::ranges::find(kMetrics, name, &Metric::name); it != kMetrics.end()) return &*it;
  std::vector<std::string_view> names;
  for (const auto& metric : kMetrics) names.push_back(metric.name);
  return Error::reject(
      fmt::format("metrics: \"{}\" is no metric; there are {}", name.substr(0, 100), fmt::join(names, ", ")));
}

bool is_measure_in_rollup(std::string_view measure) { return !known_measure(measure).column.empty(); }

std::string only_ad_events() {
  return " AND event_type IN ('impression', 'viewable_impression', 'hover', 'click', 'conversion')"
         " AND (campaign_id != '' OR ad_id != '' OR slot_id != '')";
}

std::string measure_expression(std::string_view name, bool is_rollup, std::string_view condition) {
  const auto& measure = known_measure(name);
  if (is_rollup) {
    return condition.empty() ? fmt::format("sum({})", measure.column)
                             : fmt::format("sumIf({}, {})", measure.column, condition);
  }
  std::string when(measure.event_type);
  if (!condition.empty()) when += fmt::format("{}{}", when.empty() ? "" : " AND ", condition);
  switch (measure.sum) {
    case Sum::rows:
      return fmt::format("countIf({})", when);
    case Sum::value:
      return when.empty() ? fmt::format("sum({})", measure.of) : fmt::format("sumIf({}, {})", measure.of, when);
    case Sum::users:
      return fmt::format("uniqExactIf({}, {})", measure.of, when);
  }
  return "";
}

}  // namespace marquee::analytics
