#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "answer_rows.h"
#include "cached_store.h"
#include "marquee/analytics/reports.h"
#include "query.h"
#include "user_dimensions.h"

namespace marquee::analytics {
namespace {

constexpr std::uint64_t kMostSteps = 20;
constexpr std::uint64_t kMostPlaces = 100;

Result<void> check(const PathsRequest& request) {
  if (auto checked = check(request.scope); !checked) return checked;
  if (auto known = check_event_types(request.events, "events"); !known) return known;
  if (request.steps < 2 || request.steps > kMostSteps)
    return Error::reject(fmt::format("steps: expected 2 to {}", kMostSteps));
  if (request.places < 1 || request.places > kMostPlaces)
    return Error::reject(fmt::format("places: expected 1 to {}", kMostPlaces));
  return {};
}

/// Of a step, how many sessions were at each place; the most visited are kept, the others become one.
class Places {
 public:
  void add(const std::string& place, std::uint64_t sessions) { sessions_[place] += sessions; }

  /// Appends the nodes and remembers which is whose.
  void place(std::uint64_t step, std::uint64_t most, std::vector<PathNode>& nodes) {
    std::vector<std::pair<std::string, std::uint64_t>> ordered(sessions_.begin(), sessions_.end());
    std::ranges::sort(ordered, [](const auto& one, const auto& other) {
      return std::tie(other.second, one.first) < std::tie(one.second, other.first);
    });
    for (std::size_t i = 0; i < ordered.size(); ++i) {
      if (i < most)
        nodes.push_back({step, ordered[i].first, false, 0});
      else if (i == most)
        nodes.push_back({step, "", true, 0});
      nodes.back().sessions += ordered[i].second;
      node_of_[ordered[i].first] = nodes.size() - 1;
    }
  }
  [[nodiscard]] std::size_t node_of(const std::string& place) const { return node_of_.at(place); }

 private:
  std::map<std::string, std::uint64_t> sessions_;
  std::map<std::string, std::size_t> node_of_;
};

}  // namespace

Result<PathsReport> Reports::paths(const PathsRequest& request) {
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
  std::string from_start = "path";
  if (request.start) {
    parameters["start"] = clickhouse::escape_parameter(*request.start);
    from_start = "arraySlice(path, indexOf(path, {start:String}))";
    filter += fmt::format(" AND session_id IN (SELECT session_id FROM {}{} AND {} = {{start:String}})", events, filter,
                          *place);
  }
  // A step's link to the next place, or to none where the session ends; the last step has no link.
  const auto query = fmt::format(
      "SELECT link.1 AS step, link.2 AS at, link.3 AS next, link.4 AS is_end, count() FROM (SELECT arraySlice({0}, 1, "
      "{{steps:UInt8}} + 1) AS way FROM (SELECT arrayCompact(arrayMap(e -> e.3, arraySort(groupArray((event_time, seq, "
      "{1}))))) AS path FROM {3}{2} GROUP BY session_id)) ARRAY JOIN arrayMap(i -> (i, way[i], way[i + 1], "
      "i = length(way)), range(1, least(length(way), {{steps:UInt8}}) + 1)) AS link "
      "GROUP BY step, at, next, is_end ORDER BY step, at, is_end, next",
      from_start, *place, filter, events);
  const auto rows = store_->table("events", users.data(), query, parameters);
  if (!rows) return rows.error();
  std::vector<Places> places(request.steps + 1);
  PathsReport report;
  for (const auto& cells : rows->rows) {
    const auto step = number(cells[0]), sessions = number(cells[4]);
    places[step].add(cells[1], sessions);
    if (step == 1) report.sessions += sessions;
  }
  for (std::uint64_t step = 1; step <= request.steps; ++step) places[step].place(step, request.places, report.nodes);
  std::map<std::pair<std::size_t, std::size_t>, std::uint64_t> links;
  for (const auto& cells : rows->rows) {
    const auto step = number(cells[0]);
    if (step == request.steps) continue;
    const auto node = places[step].node_of(cells[1]);
    if (cells[3] == "1")
      report.nodes[node].ended += number(cells[4]);
    else
      links[{node, places[step + 1].node_of(cells[2])}] += number(cells[4]);
  }
  for (const auto& [ends, sessions] : links) report.links.push_back({ends.first, ends.second, sessions});
  return report;
}

}  // namespace marquee::analytics
