#include <fmt/format.h>

#include <algorithm>

#include "answer_rows.h"
#include "cached_store.h"
#include "marquee/analytics/reports.h"
#include "query.h"
#include "spans.h"
#include "user_dimensions.h"

namespace marquee::analytics {
namespace {

constexpr std::size_t kMostSegments = 100;

/// The segments that are asked for, in that order; without ids, all of them.
Result<std::vector<SegmentVersion>> asked_for(const SegmentsRequest& request) {
  std::vector<SegmentVersion> segments = request.ids.empty() ? request.scope.segments : std::vector<SegmentVersion>();
  for (const auto& id : request.ids) {
    const auto it = std::ranges::find(request.scope.segments, id, &SegmentVersion::id);
    if (it == request.scope.segments.end())
      return Error::reject(fmt::format(
          "segments: {} has no segment \"{}\" whose users are written down (a live one is for targeting alone)",
          request.scope.site, id.substr(0, 64)));
    if (std::ranges::find(segments, id, &SegmentVersion::id) == segments.end()) segments.push_back(*it);
  }
  if (segments.size() > kMostSegments)
    return Error::reject(
        fmt::format("segments: {} are too many at once; name {} at most", segments.size(), kMostSegments));
  return segments;
}

}  // namespace

Result<SegmentsReport> Reports::segments(const SegmentsRequest& request) {
  if (auto checked = check(request.scope); !checked) return checked.error();
  auto segments = asked_for(request);
  if (!segments) return segments.error();
  Scope scope = request.scope;
  scope.segments = *segments;
  // Any event of a user makes a row of that user's day.
  const bool is_by_day = is_on_grid(scope, kDay);
  SegmentsReport report{is_by_day ? "user_days" : "events", 0, {}, {}};
  for (const auto& segment : *segments) report.segments.push_back({segment.id, 0});
  clickhouse::Parameters parameters;
  const UserDimensions users(scope, {std::string(kSegment)});
  const auto time = is_by_day ? "toDateTime64(day, 3, 'UTC')" : "event_time";
  // Each user once for the site (0, 0), once for each segment (n, n), and once for each two of them.
  const auto query = fmt::format(
      "SELECT pair.1 AS a, pair.2 AS b, count() FROM (SELECT DISTINCT user_key FROM marquee.{}{} AND user_key != 0) AS "
      "site_users{} ARRAY JOIN arrayPushFront(arrayFlatten(arrayMap(i -> arrayMap(k -> (i, k), arrayFilter(k -> k >= "
      "i, segment_numbers)), segment_numbers)), (toUInt16(0), toUInt16(0))) AS pair GROUP BY a, b ORDER BY a, b",
      report.source, where(scope, time, parameters), users.joins(parameters));
  const auto rows = store_->table(report.source, scope, query, parameters);
  if (!rows) return rows.error();
  for (const auto& row : rows->rows) {
    const auto a = number(row[0]), b = number(row[1]), count = number(row[2]);
    if (a == 0) {
      report.site_users = count;
    } else if (a == b) {
      report.segments.at(a - 1).users = count;
    } else {
      report.overlaps.push_back({a - 1, b - 1, count});
    }
  }
  return report;
}

Result<ExperimentUsers> Reports::experiment(const Scope& scope, const std::string& name) {
  if (auto checked = check(scope); !checked) return checked.error();
  clickhouse::Parameters parameters;
  const auto query =
      fmt::format("SELECT arm, count() FROM {} GROUP BY arm ORDER BY arm", exposed_users(name, scope, parameters));
  Scope data = scope;
  data.from_ms.reset();
  const auto rows = store_->table("events", data, query, parameters);
  if (!rows) return rows.error();
  ExperimentUsers users{name, {}, 0};
  for (const auto& row : rows->rows) {
    if (row[0].empty()) {
      users.in_several_arms = number(row[1]);
    } else {
      users.arms.emplace_back(row[0], number(row[1]));
    }
  }
  return users;
}

}  // namespace marquee::analytics
