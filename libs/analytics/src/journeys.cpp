#include "marquee/analytics/journeys.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "answer_rows.h"
#include "journey_rows.h"

namespace marquee::analytics {
namespace {

std::string journey_query_id(std::uint64_t build) { return fmt::format("marquee-journeys-{}", build); }

/// One thread, for what need not be soon; in the order in which events stand, so that little memory is taken.
clickhouse::QueryOptions unhurried_build(std::uint64_t build) {
  return {.settings = {{"max_threads", "1"},
                       {"optimize_aggregation_in_order", "1"},
                       {"max_bytes_before_external_group_by", "1000000000"},
                       {"max_execution_time", "0"}},
          .query_id = journey_query_id(build),
          .timeout_ms = 0};
}

/// A change that is under way may have been made to some of a day's parts and not to others.
Result<bool> are_events_being_changed(clickhouse::Client& store) {
  const auto rows = store.table(
      "SELECT count() FROM system.mutations WHERE database = 'marquee' AND table = 'events' AND NOT is_done");
  if (!rows) return rows.error();
  return rows->rows.at(0).at(0) != "0";
}

Result<JourneyDay> journey_day_now(clickhouse::Client& store, std::string_view day) {
  const auto days = journey_days(store, {});
  if (!days) return days.error();
  const auto found = std::ranges::find(*days, day, &JourneyDay::day);
  return found == days->end() ? JourneyDay{} : *found;
}

}  // namespace

Result<std::vector<JourneyDay>> JourneyWriter::days() { return journey_days(store_, {}); }

Result<bool> JourneyWriter::write(std::string_view day, std::uint64_t build) {
  const auto before = journey_day_now(store_, day);
  if (!before) return before.error();
  // Behind the state: what is not under way now and changes the rows that are read from here on changes the state, too.
  const auto is_changing = are_events_being_changed(store_);
  if (!is_changing) return is_changing.error();
  if (before->events == 0 || *is_changing) return false;
  const clickhouse::Parameters parameters = {{"day", std::string(day)}};
  constexpr std::string_view kOfDay = " WHERE _partition_id = {day:String} AND NOT is_bot";
  std::string columns;
  for (const auto type : journey_types()) columns += fmt::format(", {}", type);
  const auto fill = [&](std::string_view table, std::string_view names, const std::string& rows) -> Result<void> {
    auto done = store_.execute(
        fmt::format("INSERT INTO marquee.{0} (build, {1}) SELECT {2}, {1} FROM ({3})", table, names, build, rows),
        parameters, unhurried_build(build));
    if (!done && done.error().message.find(kCrowdedMoment) != std::string::npos)
      return Error::reject(std::string(kCrowdedMoment));
    // What the store refuses for another reason may be otherwise next time.
    if (!done) return Error::retry(done.error().message);
    return {};
  };
  if (auto done =
          fill("journeys", "site_id, user_key, session_id, day" + columns, journey_rows(journey_types(), kOfDay));
      !done)
    return done.error();
  if (auto done = fill("search_sessions",
                       "site_id, has_searches, session_id, day, user_key, begins_with_click, terms, found_nothing, "
                       "led_to_click",
                       search_session_rows(kOfDay));
      !done)
    return done.error();
  const auto after = journey_day_now(store_, day);
  if (!after) return after.error();
  if (after->state != before->state) return false;
  const auto rows_of = [&](std::string_view table) {
    return fmt::format("(SELECT count() FROM marquee.{} WHERE _partition_id = {{partition:String}})", table);
  };
  const auto noted = store_.execute(
      fmt::format("INSERT INTO marquee.journey_days (day, build, state, journeys, search_sessions) SELECT "
                  "{{day:String}}, {{build:UInt64}}, {{state:String}}, {}, {}",
                  rows_of("journeys"), rows_of("search_sessions")),
      {{"day", std::string(day)},
       {"build", std::to_string(build)},
       {"state", before->state},
       {"partition", journey_partition(day, build)}});
  if (!noted) return noted.error();
  return true;
}

void JourneyWriter::interrupt(std::uint64_t build) {
  // Where it fails the store is away, and the query with it.
  (void)store_.execute("KILL QUERY WHERE query_id = {id:String} ASYNC", {{"id", journey_query_id(build)}});
}

Result<JourneyWriter::Builds> JourneyWriter::builds() {
  const auto rows = store_.table(
      "SELECT DISTINCT splitByChar('-', partition_id) AS place, place[1], toUInt64(place[2]) AS build, 1 AS is_written "
      "FROM system.parts WHERE database = 'marquee' AND table IN ('journeys', 'search_sessions') AND active "
      "UNION ALL SELECT [], day, build, 0 FROM marquee.journey_days");
  if (!rows) return rows.error();
  Builds builds;
  // Two that make the same day do not take the same number.
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  builds.next_build = static_cast<std::uint64_t>(now.time_since_epoch().count()) << 20 | std::random_device()() >> 12;
  for (const auto& row : rows->rows) {
    const auto build = number(row.at(2));
    builds.next_build = std::max(builds.next_build, build + 1);
    if (row.at(3) == "1") builds.written.emplace_back(row.at(1), build);
  }
  return builds;
}

Result<void> JourneyWriter::remove(std::string_view day, std::uint64_t build) {
  // A partition's name is no value that could be bound.
  for (const char* table : {"journeys", "search_sessions"}) {
    auto gone = store_.execute(
        fmt::format("ALTER TABLE marquee.{} DROP PARTITION ID '{}'", table, journey_partition(day, build)));
    if (!gone) return gone;
  }
  return {};
}

}  // namespace marquee::analytics
