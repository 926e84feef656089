#include <fmt/format.h>

#include "answer_rows.h"
#include "cached_store.h"
#include "marquee/analytics/reports.h"
#include "query.h"
#include "sample.h"
#include "user_dimensions.h"

namespace marquee::analytics {
namespace {

/// Rows: is_total; term; parts, and of each of them the searches, users, searches without result and without click.
Result<StoreQuery> searches_query(const SearchesRequest& request, const std::optional<double>& fraction) {
  if (auto checked = check(request.scope); !checked) return checked.error();
  if (request.limit < 1 || request.limit > 10'000) return Error::reject("limit: expected 1 to 10000");
  clickhouse::Parameters parameters;
  auto filter = where(request.scope, "event_time", parameters);
  const auto filters = filter_conditions(request.filters, "event_time", request.scope, parameters);
  if (!filters) return filters.error();
  filter += *filters;
  UserDimensions users(request.scope, {});
  users.add(request.filters);
  parameters["least"] = fmt::format("{}", static_cast<double>(request.min_searches) * fraction.value_or(1));
  parameters["most"] = std::to_string(request.limit + 2);  // The total, and one that tells whether there are more.
  const auto joins = users.joins(parameters);
  // A session's events are cut where it searches again: what follows a search up to there came of it.
  const auto sessions = of_people(fraction, parameters, [&](std::string_view people) {
    return fmt::format(
        "SELECT any(if(user_key != 0, user_key, session_id)) AS who, arraySplit(e -> e.3 = 'search', "
        "arraySort(groupArray((event_time, seq, event_type, search_query, results_count)))) AS parts FROM "
        "marquee.events{}{}{} AND event_type IN ('search', 'click', 'course_click', 'course_view') GROUP BY session_id",
        joins, filter, people);
  });
  auto sql = fmt::format(
      "SELECT is_total, term, groupArray(part), groupArray(searches), groupArray(users), groupArray(nothing), "
      "groupArray(unclicked) FROM (SELECT grouping(term) AS is_total, lowerUTF8(trimBoth(after[1].4)) AS term, {} AS "
      "part, count() AS searches, uniqExact(who) AS users, countIf(after[1].5 = 0) AS nothing, countIf(NOT "
      "arrayExists(e -> e.3 != 'search', after)) AS unclicked FROM ({}) ARRAY JOIN parts AS after WHERE after[1].3 = "
      "'search' GROUP BY GROUPING SETS ((term, part), (part))) GROUP BY is_total, term HAVING is_total OR "
      "sum(searches) >= {{least:Float64}} ORDER BY is_total DESC, sum(searches) DESC, term LIMIT {{most:UInt64}}",
      part_of_person("who", fraction), sessions);
  return StoreQuery{std::move(sql), std::move(parameters), users.data()};
}

SearchTerm term_of(const std::vector<std::string>& cells, const std::optional<double>& fraction) {
  const auto count = [&](std::size_t column) { return people_count(measure_of(cells[2], cells[column]), fraction); };
  const auto searches = count(3), users = count(4), nothing = count(5), unclicked = count(6);
  SearchTerm term{cells[1], searches.value, users.value, nothing.value, unclicked.value, {}};
  if (fraction) term.bounds = {*searches.bounds, *users.bounds, *nothing.bounds, *unclicked.bounds};
  return term;
}

}  // namespace

Result<SearchesReport> Reports::searches(const SearchesRequest& request, std::optional<double> fraction) {
  if (fraction)
    if (auto checked = check_fraction(*fraction); !checked) return checked.error();
  const auto query = searches_query(request, fraction);
  if (!query) return query.error();
  const auto rows = store_->table("events", query->data, query->sql, query->parameters, {.query_id = request.query_id});
  if (!rows) return rows.error();
  SearchesReport report{{}, {}, false, fraction};
  for (const auto& cells : rows->rows) {
    if (cells[0] == "1")
      report.total = term_of(cells, fraction);
    else
      report.terms.push_back(term_of(cells, fraction));
  }
  report.total.term.clear();
  report.is_cut = report.terms.size() > request.limit;
  if (report.is_cut) report.terms.resize(request.limit);
  return report;
}

Result<std::uint64_t> Reports::events_to_read(const SearchesRequest& request) {
  const auto query = searches_query(request, std::nullopt);
  if (!query) return query.error();
  return rows_to_read(store_->store(), query->sql, query->parameters);
}

}  // namespace marquee::analytics
