#include "marquee/ingest/retention.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "marquee/base/logging.h"
#include "marquee/event/event.h"

namespace marquee::ingest {
namespace {

constexpr std::uint64_t kMostDays = 36'500;
constexpr std::string_view kDays = "toIntervalDay(";

/// As the store writes it back, so that what is there can be compared with it.
std::string term(std::string_view time, std::uint64_t days) {
  return fmt::format("{} + toIntervalDay({})", time, days);
}

/// Table and its terms; empty: none.
std::vector<std::pair<std::string, std::string>> wanted_terms(const Retention& retention) {
  std::vector<std::string> of_events;
  if (retention.events > 0) of_events.push_back(term("toDateTime(event_time)", retention.events));
  for (const auto& [type, days] : retention.kinds)
    of_events.push_back(fmt::format("{} WHERE event_type = '{}'", term("toDateTime(event_time)", days), type));
  const auto whole = [](std::string_view time, std::uint64_t days) { return days > 0 ? term(time, days) : ""; };
  return {{"events", fmt::format("{}", fmt::join(of_events, ", "))},
          {"user_days", whole("day", retention.shortest())},
          {"user_features", whole("day", retention.shortest())},
          {"decisions", whole("toDateTime(decision_time)", retention.decisions)},
          {"dead_letters", whole("toDateTime(received_time)", retention.dead_letters)}};
}

/// "... TTL terms SETTINGS ..."
std::string terms_in(std::string_view engine) {
  constexpr std::string_view kBegin = " TTL ", kEnd = " SETTINGS ";
  const auto begin = engine.find(kBegin);
  if (begin == std::string_view::npos) return "";
  const auto rest = engine.substr(begin + kBegin.size());
  return std::string(rest.substr(0, rest.find(kEnd)));
}

/// Of all tables, by name.
Result<std::map<std::string, std::string>> terms_there(clickhouse::Client& store) {
  const auto tables =
      store.table("SELECT name, engine_full FROM system.tables WHERE database = 'marquee'", {}, {.replica = 0});
  if (!tables) return tables.error();
  std::map<std::string, std::string> terms;
  for (const auto& row : tables->rows) terms[row.at(0)] = terms_in(row.at(1));
  return terms;
}

}  // namespace

std::uint64_t Retention::shortest() const {
  std::uint64_t least = events;
  for (const auto& [type, days] : kinds) least = least == 0 ? days : std::min(least, days);
  return least;
}

Result<std::map<std::string, std::uint64_t>> read_kinds(std::string_view text) {
  std::map<std::string, std::uint64_t> kinds;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find(',', begin), text.size());
    const auto one = text.substr(begin, end - begin);
    begin = end + 1;
    const auto equals = one.find('=');
    const auto type = one.substr(0, equals);
    if (type.empty() || std::ranges::find(event::kTypeNames, type) == event::kTypeNames.end())
      return Error::reject(fmt::format("retention.kinds: \"{}\" is no type of events; write it as hover=30", type));
    std::uint64_t days = 0;
    const auto number = equals == std::string_view::npos ? std::string_view() : one.substr(equals + 1);
    const auto read = std::from_chars(number.data(), number.data() + number.size(), days);
    if (read.ec != std::errc() || read.ptr != number.data() + number.size() || days == 0 || days > kMostDays)
      return Error::reject(
          fmt::format("retention.kinds: {}: expected a whole number of days from 1 to {}", type, kMostDays));
    kinds[std::string(type)] = days;
  }
  return kinds;
}

Result<std::uint64_t> apply_retention(clickhouse::Client& store, const Retention& retention) {
  auto there = terms_there(store);
  if (!there) return there.error();
  std::uint64_t changed = 0;
  for (const auto& [table, wanted] : wanted_terms(retention)) {
    const auto& has = (*there)[table];
    if (has == wanted) continue;
    const auto sql = wanted.empty() ? fmt::format("ALTER TABLE marquee.{} REMOVE TTL", table)
                                    : fmt::format("ALTER TABLE marquee.{} MODIFY TTL {}", table, wanted);
    if (auto altered = store.execute(sql, {}, {.settings = {{"mutations_sync", "0"}}, .replica = 0}); !altered)
      return altered.error();
    logging::info("retention.changed", {{"table", table}, {"from", has}, {"to", wanted}});
    ++changed;
  }
  return changed;
}

Result<std::vector<std::pair<std::string, std::string>>> retention_terms(clickhouse::Client& store) {
  std::vector<std::pair<std::string, std::string>> all;
  auto there = terms_there(store);
  if (!there) return there.error();
  for (const auto& [table, unused] : wanted_terms({}))
    if (const auto& has = (*there)[table]; !has.empty()) all.emplace_back(table, has);
  return all;
}

Result<std::string> whole_since(clickhouse::Client& store) {
  auto there = terms_there(store);
  if (!there) return there.error();
  const auto& terms = (*there)["events"];
  std::uint64_t shortest = 0;
  for (auto at = terms.find(kDays); at != std::string::npos; at = terms.find(kDays, at + 1)) {
    std::uint64_t days = 0;
    std::from_chars(terms.data() + at + kDays.size(), terms.data() + terms.size(), days);
    if (days > 0) shortest = shortest == 0 ? days : std::min(shortest, days);
  }
  if (shortest == 0) return std::string();
  const auto day = store.table(fmt::format("SELECT toYYYYMMDD(toDate(now('UTC') - toIntervalDay({})) + 1)", shortest),
                               {}, {.replica = 0});
  if (!day) return day.error();
  return day->rows.at(0).at(0);
}

}  // namespace marquee::ingest
