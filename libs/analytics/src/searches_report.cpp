#include <fmt/format.h>

#include "answer_rows.h"
#include "cached_store.h"
#include "marquee/analytics/reports.h"
#include "query.h"
#include "user_dimensions.h"

namespace marquee::analytics {
namespace {

SearchTerm term_of(const std::vector<std::string>& cells) {
  return {cells[1], number(cells[2]), number(cells[3]), number(cells[4]), number(cells[5])};
}

}  // namespace

Result<SearchesReport> Reports::searches(const SearchesRequest& request) {
  if (auto checked = check(request.scope); !checked) return checked.error();
  if (request.limit < 1 || request.limit > 10'000) return Error::reject("limit: expected 1 to 10000");
  clickhouse::Parameters parameters;
  auto filter = where(request.scope, "event_time", parameters);
  const auto filters = filter_conditions(request.filters, "event_time", request.scope, parameters);
  if (!filters) return filters.error();
  filter += *filters;
  UserDimensions users(request.scope, {});
  users.add(request.filters);
  parameters["least"] = std::to_string(request.min_searches);
  parameters["most"] = std::to_string(request.limit + 2);  // The total, and one that tells whether there are more.
  // A session's events are cut where it searches again: what follows a search up to there came of it.
  const auto query = fmt::format(
      "SELECT is_total, term, searches, users, nothing, unclicked FROM (SELECT grouping(term) AS is_total, "
      "lowerUTF8(trimBoth(after[1].4)) AS term, count() AS searches, uniqExact(who) AS users, countIf(after[1].5 = 0) "
      "AS "
      "nothing, countIf(NOT arrayExists(e -> e.3 != 'search', after)) AS unclicked FROM (SELECT any(if(user_key != 0, "
      "user_key, session_id)) AS who, arraySplit(e -> e.3 = 'search', arraySort(groupArray((event_time, seq, "
      "event_type, "
      "search_query, results_count)))) AS parts FROM marquee.events{}{} AND event_type IN ('search', 'click', "
      "'course_click', 'course_view') GROUP BY session_id) ARRAY JOIN parts AS after WHERE after[1].3 = 'search' GROUP "
      "BY "
      "GROUPING SETS ((term), ())) WHERE is_total OR searches >= {{least:UInt64}} ORDER BY is_total DESC, searches "
      "DESC, "
      "term LIMIT {{most:UInt64}}",
      users.joins(parameters), filter);
  const auto rows = store_->table("events", users.data(), query, parameters);
  if (!rows) return rows.error();
  SearchesReport report;
  for (const auto& cells : rows->rows) {
    if (cells[0] == "1")
      report.total = term_of(cells);
    else
      report.terms.push_back(term_of(cells));
  }
  report.total.term.clear();
  report.is_cut = report.terms.size() > request.limit;
  if (report.is_cut) report.terms.resize(request.limit);
  return report;
}

}  // namespace marquee::analytics
