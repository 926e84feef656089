#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "answer_rows.h"
#include "cached_store.h"
#include "marquee/analytics/reports.h"
#include "query.h"
#include "sample.h"
#include "user_dimensions.h"

namespace marquee::analytics {
namespace {

constexpr std::uint64_t kMostPathSteps = 20;
constexpr std::uint64_t kMostPlaces = 100;

Result<void> check(const PathsRequest& request) {
  if (auto checked = check(request.scope); !checked) return checked;
  if (auto known = check_event_types(request.events, "events"); !known) return known;
  if (request.steps < 2 || request.steps > kMostPathSteps)
    return Error::reject(fmt::format("steps: expected 2 to {}", kMostPathSteps));
  if (request.places < 1 || request.places > kMostPlaces)
    return Error::reject(fmt::format("places: expected 1 to {}", kMostPlaces));
  return {};
}

/// Rows: step; its place; the next one; whether there is none; parts, and the sessions of each of them.
Result<StoreQuery> paths_query(const PathsRequest& request, const std::optional<double>& fraction) {
  if (auto checked = check(request); !checked) return checked.error();
  clickhouse::Parameters parameters;
  auto filter = where(request.scope, "event_time", parameters);
  const auto filters = filter_conditions(request.filters, "event_time", request.scope, parameters);
  if (!filters) return filters.error();
  filter += *filters;
  parameters["events"] = array_parameter(request.events);
  if (!request.events.empty()) filter += " AND toString(event_type) IN {events:Array(String)}";
  const auto place = dimension_expression(request.by, "event_time");
  if (!place) return Error::reject("by: " + place.error().message);
  UserDimensions users(request.scope, {request.by});
  users.add(request.filters);
  const auto events = "marquee.events" + users.joins(parameters);
  filter += users.conditions();
  parameters["steps"] = std::to_string(request.steps);
  const std::string from_start = request.start ? "arraySlice(path, indexOf(path, {start:String}))" : "path";
  if (request.start) parameters["start"] = clickhouse::escape_parameter(*request.start);
  const auto sessions = of_people(fraction, parameters, [&](std::string_view people) {
    std::string that_start;
    if (request.start)
      that_start = fmt::format(" AND session_id IN (SELECT session_id FROM {}{}{} AND {} = {{start:String}})", events,
                               filter, people, *place);
    return fmt::format(
        "SELECT any(if(user_key != 0, user_key, session_id)) AS who, arrayCompact(arrayMap(e -> e.3, "
        "arraySort(groupArray((event_time, seq, {}))))) AS path FROM {}{}{}{} GROUP BY session_id",
        *place, events, filter, people, that_start);
  });
  // A step's link to the next place, or to none where the session ends; the last step has no link.
  auto sql = fmt::format(
      "SELECT link.1 AS step, link.2 AS at, link.3 AS next, link.4 AS is_end, groupArray(part), groupArray(sessions) "
      "FROM (SELECT link, part, count() AS sessions FROM (SELECT arraySlice({}, 1, {{steps:UInt8}} + 1) AS way, {} AS "
      "part FROM ({})) ARRAY JOIN arrayMap(i -> (i, way[i], way[i + 1], i = length(way)), range(1, least(length(way), "
      "{{steps:UInt8}}) + 1)) AS link GROUP BY link, part) GROUP BY link ORDER BY step, at, is_end, next",
      from_start, part_of_person("who", fraction), sessions);
  return StoreQuery{std::move(sql), std::move(parameters), users.data()};
}

double total(const SampledMeasure& sum) {
  double all = static_cast<double>(sum.whole);
  for (const auto part : sum.by_group) all += static_cast<double>(part);
  return all;
}

/// Of a step, how many sessions were at each place; the most visited are kept, the others become one.
class Places {
 public:
  struct Node {
    PathNode node;
    SampledMeasure sessions = {}, ended = {};
  };

  void add(const std::string& place, const SampledMeasure& sessions) { analytics::add(sessions_[place], sessions); }

  /// Appends the nodes and remembers which is whose.
  void place(std::uint64_t step, std::uint64_t most, std::vector<Node>& nodes) {
    std::vector<std::pair<double, std::string>> ordered;
    for (const auto& [place, sessions] : sessions_) ordered.emplace_back(-total(sessions), place);
    std::ranges::sort(ordered);
    for (std::size_t i = 0; i < ordered.size(); ++i) {
      const auto& place = ordered[i].second;
      if (i < most)
        nodes.push_back({.node = {.step = step, .place = place}});
      else if (i == most)
        nodes.push_back({.node = {.step = step, .place = "", .is_all_others = true}});
      analytics::add(nodes.back().sessions, sessions_.at(place));
      node_of_[place] = nodes.size() - 1;
    }
  }
  [[nodiscard]] std::size_t node_of(const std::string& place) const { return node_of_.at(place); }

 private:
  std::map<std::string, SampledMeasure> sessions_;
  std::map<std::string, std::size_t> node_of_;
};

}  // namespace

Result<PathsReport> Reports::paths(const PathsRequest& request, std::optional<double> fraction) {
  if (fraction)
    if (auto checked = check_fraction(*fraction); !checked) return checked.error();
  const auto query = paths_query(request, fraction);
  if (!query) return query.error();
  const auto rows = store_->table("events", query->data, query->sql, query->parameters, {.query_id = request.query_id});
  if (!rows) return rows.error();
  std::vector<Places> places(request.steps + 1);
  SampledMeasure all;
  for (const auto& cells : rows->rows) {
    const auto sessions = measure_of(cells[4], cells[5]);
    places[number(cells[0])].add(cells[1], sessions);
    if (number(cells[0]) == 1) add(all, sessions);
  }
  std::vector<Places::Node> nodes;
  for (std::uint64_t step = 1; step <= request.steps; ++step) places[step].place(step, request.places, nodes);
  std::map<std::pair<std::size_t, std::size_t>, SampledMeasure> links;
  for (const auto& cells : rows->rows) {
    const auto step = number(cells[0]);
    if (step == request.steps) continue;
    const auto node = places[step].node_of(cells[1]);
    add(cells[3] == "1" ? nodes[node].ended : links[{node, places[step + 1].node_of(cells[2])}],
        measure_of(cells[4], cells[5]));
  }
  const auto whole = people_count(all, fraction);
  PathsReport report{.sessions = whole.value, .nodes = {}, .links = {}, .sampled = fraction, .bounds = whole.bounds};
  for (auto& [node, sessions, ended] : nodes) {
    const auto here = people_count(sessions, fraction), gone = people_count(ended, fraction);
    node.sessions = here.value;
    node.ended = gone.value;
    if (fraction) node.bounds = {*here.bounds, *gone.bounds};
    report.nodes.push_back(std::move(node));
  }
  for (const auto& [ends, sessions] : links) {
    const auto count = people_count(sessions, fraction);
    report.links.push_back({ends.first, ends.second, count.value, count.bounds});
  }
  return report;
}

Result<std::uint64_t> Reports::events_to_read(const PathsRequest& request) {
  const auto query = paths_query(request, std::nullopt);
  if (!query) return query.error();
  return rows_to_read(store_->store(), query->sql, query->parameters);
}

}  // namespace marquee::analytics
