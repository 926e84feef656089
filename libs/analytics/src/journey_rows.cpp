#include "journey_rows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "answer_rows.h"
#include "query.h"

namespace marquee::analytics {

const std::vector<std::string_view>& journey_types() {
  // As sql/0001 numbers them, from 1 on.
  static const std::vector<std::string_view> types = {
      "page_view", "page_leave",  "impression",   "viewable_impression", "hover",    "click", "scroll",
      "search",    "course_view", "course_click", "conversion",          "exposure", "custom"};
  return types;
}

std::string journey_rows(const std::vector<std::string_view>& types, std::string_view condition) {
  // An event as one number, so that sorting is fast: milliseconds of the day, seq, type. Events of one millisecond are
  // then told apart by how many other seqs stand before theirs.
  std::string columns;
  for (const auto type : types) {
    const auto& all = journey_types();
    const auto number = std::ranges::find(all, type) - all.begin() + 1;
    columns += fmt::format(", arrayFilter((m, t) -> t = {}, moments, types) AS {}", number, type);
  }
  const bool has_all = types.size() == journey_types().size();
  return fmt::format(
      "SELECT site_id, user_key, session AS session_id, day{0} FROM (SELECT site_id, user_key, session, day, "
      "arrayMap(e -> toUInt8(bitAnd(e, 15)), events) AS types, arrayMap(e -> bitShiftRight(e, 4), events) AS places, "
      "arrayPushFront(arrayPopBack(places), toUInt64(0)) AS before, "
      "arrayMap((p, b) -> bitShiftRight(p, 32) = bitShiftRight(b, 32), places, before) AS is_same_time, "
      "arrayCumSum((p, b) -> p != b, places, before) AS numbers, "
      "arrayFill(f -> f >= 0, arrayMap((s, n) -> if(s, -1, toInt64(n)), arrayPushFront(arrayPopFront(is_same_time), "
      "0), numbers)) AS first_numbers, "
      "arrayMap((p, n, f) -> toUInt32(bitOr(bitShiftLeft(bitShiftRight(p, 32), {1}), toUInt64(n - f))), places, "
      "numbers, first_numbers) AS moments "
      "FROM (SELECT site_id, user_key, if(user_key = 0, session_id, 0) AS session, toDate(event_time) AS day, "
      "arraySort(groupArray(bitOr(bitOr(bitShiftLeft(toUInt64(toUnixTimestamp64Milli(event_time) - "
      "{2} * toInt64(toUInt16(toDate(event_time)))), 36), bitShiftLeft(toUInt64(seq), 4)), "
      "toUInt64(toInt8(event_type))))) AS events FROM marquee.events{3} AND (user_key != 0 OR session_id != 0){4} "
      "GROUP BY site_id, user_key, session, day) "
      "WHERE throwIf(arrayExists((n, f) -> n - f >= {5}, numbers, first_numbers), '{6}') = 0)",
      columns, kMomentBits, kDay, condition,
      has_all ? "" : fmt::format(" AND event_type IN ('{}')", fmt::join(types, "', '")), 1U << kMomentBits,
      kCrowdedMoment);
}

std::string search_session_rows(std::string_view condition) {
  // A session's events are cut where it searches again: what follows a search up to there came of it.
  return fmt::format(
      "SELECT site_id, notEmpty(searches) AS has_searches, session_id, day, user_key, notEmpty(parts) AND "
      "parts[1][1].3 != 'search' AS begins_with_click, arrayMap(p -> lowerUTF8(trimBoth(p[1].4)), searches) AS terms, "
      "arrayMap(p -> p[1].5 = 0, searches) AS found_nothing, arrayMap(p -> length(p) > 1, searches) AS led_to_click "
      "FROM (SELECT site_id, session_id, day, user_key, parts, arrayFilter(p -> p[1].3 = 'search', parts) AS searches "
      "FROM (SELECT site_id, session_id, toDate(event_time) AS day, max(events.user_key) AS user_key, "
      "arraySplit(e -> e.3 = 'search', arraySort(groupArray((event_time, seq, event_type, search_query, "
      "results_count)))) AS parts FROM marquee.events{} AND event_type IN ('search', 'click', 'course_click', "
      "'course_view') GROUP BY site_id, session_id, day))",
      condition);
}

namespace {

/// Of a day's events: the same as long as they are. Merges keep the greatest block, the rows, and the greatest
/// mutation; whatever lands, is deleted, replaced or exchanged makes another. Parts that patch others are of the day
/// that their names end with.
constexpr std::string_view kStatesOfDays =
    "SELECT splitByChar('-', partition_id)[-1] AS day, toString(cityHash64(max(max_block_number), "
    "max(toUInt64OrZero(splitByChar('_', name)[5])), sum(rows), min(min_time), max(max_time), "
    "arraySort(groupUniqArray(substring(path, 1, length(path) - length(name) - 1))))) AS state, sum(rows) AS events "
    "FROM system.parts WHERE database = 'marquee' AND table = 'events' AND active GROUP BY day";
/// Each day that has events, with the build that is whole and of its state, or 0.
std::string journey_days_query(std::string_view condition) {
  const auto rows = [](std::string_view table) {
    return fmt::format(
        "SELECT partition_id, sum(rows) AS rows FROM system.parts WHERE database = 'marquee' AND table = '{}' AND "
        "active GROUP BY partition_id",
        table);
  };
  return fmt::format(
      "SELECT now.day, now.state, now.events, if(kept.state = now.state AND kept.build != 0 AND kept.journeys = "
      "journeys.rows AND kept.search_sessions = searches.rows, kept.build, 0) AS build FROM ({0}) AS now LEFT JOIN "
      "(SELECT *, concat(day, '-', toString(build)) AS partition FROM marquee.journey_days FINAL) AS kept ON kept.day "
      "= now.day LEFT JOIN ({1}) AS journeys ON journeys.partition_id = kept.partition LEFT JOIN ({2}) AS searches ON "
      "searches.partition_id = kept.partition{3} ORDER BY now.day",
      kStatesOfDays, rows("journeys"), rows("search_sessions"), condition);
}

}  // namespace

Result<std::vector<JourneyDay>> journey_days(clickhouse::Client& store, const Scope& scope) {
  const auto rows = store.table(journey_days_query(" WHERE now.day >= {first:String} AND now.day <= {last:String}"),
                                {{"first", scope.from_ms ? partition_of(*scope.from_ms) : "00000000"},
                                 {"last", scope.to_ms ? partition_of(*scope.to_ms - 1) : "99999999"}});
  if (!rows) return rows.error();
  std::vector<JourneyDay> days;
  for (const auto& row : rows->rows) days.push_back({row.at(0), row.at(1), number(row.at(2)), number(row.at(3))});
  return days;
}

Result<KeptDays> kept_days(clickhouse::Client& store, const Scope& scope) {
  const auto days = journey_days(store, scope);
  if (!days) return days.error();
  KeptDays kept;
  for (const auto& day : *days) {
    kept.all_events += day.events;
    if (day.build == 0) continue;
    kept.events += day.events;
    kept.partitions[day.day] = journey_partition(day.day, day.build);
  }
  return kept;
}

Scope whole_days(const Scope& scope) {
  Scope whole = scope;
  if (whole.from_ms) *whole.from_ms = (*whole.from_ms + kDay - 1) / kDay * kDay;
  if (whole.to_ms) *whole.to_ms = *whole.to_ms / kDay * kDay;
  return whole;
}

std::string journey_partition(std::string_view day, std::uint64_t build) { return fmt::format("{}-{}", day, build); }

bool is_refused_by_journeys(const Result<clickhouse::Table>& answer) {
  return !answer && answer.error().message.find(kCrowdedMoment) != std::string::npos;
}

std::string of_other_days(const KeptDays& kept, clickhouse::Parameters& parameters) {
  std::vector<std::string> days;
  for (const auto& [day, partition] : kept.partitions) days.push_back(day);
  parameters["kept_days"] = array_parameter(days);
  return " AND _partition_id NOT IN {kept_days:Array(String)}";
}

std::string of_kept_days(const KeptDays& kept, const Scope& scope, clickhouse::Parameters& parameters) {
  std::vector<std::string> partitions;
  for (const auto& [day, partition] : kept.partitions) partitions.push_back(partition);
  parameters["kept"] = array_parameter(partitions);
  parameters["site"] = scope.site;
  return " WHERE _partition_id IN {kept:Array(String)} AND site_id = {site:String}";
}

}  // namespace marquee::analytics
