#include <fmt/format.h>

#include "answer_rows.h"
#include "cached_store.h"
#include "journey_rows.h"
#include "marquee/analytics/reports.h"
#include "query.h"
#include "sample.h"
#include "user_dimensions.h"

namespace marquee::analytics {
namespace {

constexpr std::size_t kMostNamed = 1000;  ///< Sessions that a query names.

/// " SELECT who, terms, found_nothing, led_to_click, part ...": what sessions searched, from their events.
Result<std::string> sessions_of_events(const SearchesRequest& request, const std::optional<double>& fraction,
                                       const UserDimensions& users, clickhouse::Parameters& parameters) {
  auto filter = where(request.scope, "event_time", parameters);
  const auto filters = filter_conditions(request.filters, "event_time", request.scope, parameters);
  if (!filters) return filters.error();
  filter += *filters;
  const auto joins = users.joins(parameters);
  // A session's events are cut where it searches again: what follows a search up to there came of it.
  const auto parts = of_people(fraction, parameters, [&](std::string_view people) {
    return fmt::format(
        "SELECT max(user_key) AS user, if(user != 0, user, session_id) AS who, arrayFilter(p -> p[1].3 = 'search', "
        "arraySplit(e -> e.3 = 'search', arraySort(groupArray((event_time, seq, event_type, search_query, "
        "results_count))))) AS parts FROM marquee.events{}{}{} AND event_type IN ('search', 'click', 'course_click', "
        "'course_view') GROUP BY session_id",
        joins, filter, people);
  });
  return fmt::format(
      "SELECT who, arrayMap(p -> lowerUTF8(trimBoth(p[1].4)), parts) AS terms, arrayMap(p -> p[1].5 = 0, parts) AS "
      "found_nothing, arrayMap(p -> length(p) > 1, parts) AS led_to_click FROM ({})",
      parts);
}

/// Days of sessions that are kept, of the site.
std::string kept_sessions(std::string_view columns, const KeptDays& kept, const Scope& scope,
                          clickhouse::Parameters& parameters) {
  return fmt::format("SELECT {} FROM marquee.search_sessions{}", columns, of_kept_days(kept, scope, parameters));
}

/// The same from what is kept, and of other days from the events. What a day's last search led to may have come on a
/// later day: sessions of several days are put together, all others are as they are kept. `several`: the kept sessions
/// of several days, as a list or a query.
std::string sessions_of_days(const KeptDays& kept, const Scope& scope, std::string_view several,
                             clickhouse::Parameters& parameters) {
  constexpr std::string_view kColumns =
      "session_id, day, user_key, begins_with_click, terms, found_nothing, led_to_click";
  const auto others = search_session_rows(where(scope, "event_time", parameters) + of_other_days(kept, parameters));
  const auto rows = kept_sessions(kColumns, kept, scope, parameters);
  const auto is_of_others = fmt::format("session_id IN (SELECT session_id FROM ({}))", others);
  return fmt::format(
      "SELECT if(user_key != 0, user_key, session_id) AS who, terms, found_nothing, led_to_click FROM ({0} AND "
      "has_searches) WHERE session_id NOT IN {1} AND NOT {2} UNION ALL "
      "SELECT if(user != 0, user, session_id) AS who, arrayFlatten(arrayMap(d -> d.3, days)) AS terms, "
      "arrayFlatten(arrayMap(d -> d.4, days)) AS found_nothing, arrayFlatten(arrayMap((d, next) -> if(next.2 AND "
      "notEmpty(d.5), arrayPushBack(arrayPopBack(d.5), true), d.5), days, arrayPushBack(arrayPopFront(days), "
      "(toDate(0), false, CAST([], 'Array(String)'), CAST([], 'Array(Bool)'), CAST([], 'Array(Bool)'))))) AS "
      "led_to_click FROM (SELECT session_id, max(user_key) AS user, arraySort(d -> d.1, groupArray((day, "
      "begins_with_click, terms, found_nothing, led_to_click))) AS days FROM (SELECT {3} FROM ({0}) WHERE session_id "
      "IN "
      "{1} OR {2} UNION ALL SELECT {3} FROM ({4})) GROUP BY session_id)",
      rows, several, is_of_others, kColumns, others);
}

/// Rows: is_total; term; parts, and of each of them the searches, users, searches without result and without click.
/// `sessions`: a query of who, terms, found_nothing, led_to_click.
std::string count_of_searches(const std::string& sessions, const SearchesRequest& request,
                              const std::optional<double>& fraction, clickhouse::Parameters& parameters) {
  parameters["least"] = fmt::format("{}", static_cast<double>(request.min_searches) * fraction.value_or(1));
  parameters["most"] = std::to_string(request.limit + 2);  // The total, and one that tells whether there are more.
  return fmt::format(
      "SELECT is_total, term, groupArray(part), groupArray(searches), groupArray(users), groupArray(nothing), "
      "groupArray(unclicked) FROM (SELECT grouping(term) AS is_total, term, {} AS part, count() AS searches, "
      "uniqExact(who) AS users, countIf(has_nothing) AS nothing, countIf(NOT has_click) AS unclicked FROM ({}) ARRAY "
      "JOIN terms AS term, found_nothing AS has_nothing, led_to_click AS has_click GROUP BY GROUPING SETS ((term, "
      "part), "
      "(part))) GROUP BY is_total, term HAVING is_total OR sum(searches) >= {{least:Float64}} ORDER BY is_total DESC, "
      "sum(searches) DESC, term LIMIT {{most:UInt64}}",
      part_of_person("who", fraction), sessions);
}

Result<void> check_searches(const SearchesRequest& request) {
  if (auto checked = check(request.scope); !checked) return checked.error();
  if (request.limit < 1 || request.limit > 10'000) return Error::reject("limit: expected 1 to 10000");
  return {};
}

Result<StoreQuery> searches_query(const SearchesRequest& request, const std::optional<double>& fraction) {
  if (auto checked = check_searches(request); !checked) return checked.error();
  UserDimensions users(request.scope, {});
  users.add(request.filters);
  clickhouse::Parameters parameters;
  const auto sessions = sessions_of_events(request, fraction, users, parameters);
  if (!sessions) return sessions.error();
  auto sql = count_of_searches(*sessions, request, fraction, parameters);
  return StoreQuery{std::move(sql), std::move(parameters), users.data()};
}

/// As kept sessions do not change, they may be asked beforehand which of them have several days.
Result<StoreQuery> searches_query(const SearchesRequest& request, const KeptDays& kept, CachedStore& store) {
  clickhouse::Parameters parameters;
  const auto several =
      kept_sessions("session_id", kept, request.scope, parameters) + " GROUP BY session_id HAVING count() > 1";
  const auto named = store.store().table(fmt::format("{} LIMIT {}", several, kMostNamed + 1), parameters);
  if (!named) return named.error();
  std::string list = "(" + several + ")";
  if (named->rows.size() <= kMostNamed) {
    std::string values;
    for (const auto& row : named->rows) values += (values.empty() ? "" : ",") + row.at(0);
    parameters["several"] = "[" + values + "]";
    list = "{several:Array(UInt64)}";
  }
  auto sql = count_of_searches(sessions_of_days(kept, request.scope, list, parameters), request, {}, parameters);
  return StoreQuery{std::move(sql), std::move(parameters), request.scope};
}

/// Days whose journeys answer it, where they are most of the scope; else none.
Result<KeptDays> days_of_searches(const SearchesRequest& request, CachedStore& store) {
  if (!store.can_remember() || !request.filters.empty()) return KeptDays{};
  auto kept = kept_days(store.store(), whole_days(request.scope));
  if (!kept) return kept.error();
  return kept->is_worth_it() ? std::move(*kept) : KeptDays{};
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
  if (auto checked = check_searches(request); !checked) return checked.error();
  const auto kept = fraction ? Result<KeptDays>(KeptDays{}) : days_of_searches(request, *store_);
  if (!kept) return kept.error();
  const bool is_kept = !kept->partitions.empty();
  const auto query = is_kept ? searches_query(request, *kept, *store_) : searches_query(request, fraction);
  if (!query) return query.error();
  const auto rows = store_->table("events", query->data, query->sql, query->parameters, {.query_id = request.query_id});
  if (!rows) return rows.error();
  SearchesReport report;
  report.source = is_kept ? "journeys" : "events";
  report.sampled = fraction;
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
  if (auto checked = check_searches(request); !checked) return checked.error();
  const auto kept = days_of_searches(request, *store_);
  if (!kept) return kept.error();
  const auto query =
      kept->partitions.empty() ? searches_query(request, std::nullopt) : searches_query(request, *kept, *store_);
  if (!query) return query.error();
  return rows_to_read(store_->store(), query->sql, query->parameters);
}

}  // namespace marquee::analytics
