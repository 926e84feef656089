#include "marquee/analytics/segments.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "answer_rows.h"
#include "cached_store.h"
#include "funnel_checks.h"
#include "funnel_query.h"
#include "query.h"
#include "segment_query.h"

namespace marquee::analytics {
namespace {

constexpr std::size_t kMostConditions = 50;
constexpr std::size_t kMostDeep = 10;
constexpr std::size_t kMostUsers = 200'000;
constexpr std::string_view kInto = "INSERT INTO marquee.segment_users (site_id, segment_id, version, user_key)";

Result<void> check(const SegmentRule& rule, std::size_t depth, std::size_t& conditions) {
  if (depth > kMostDeep) return Error::reject(fmt::format("rule: at most {} levels are taken", kMostDeep));
  if (rule.kind == SegmentRule::Kind::condition) {
    if (++conditions > kMostConditions)
      return Error::reject(fmt::format("rule: at most {} conditions are taken", kMostConditions));
    if (rule.condition.count < 1) return Error::reject("rule: expected a count of at least 1");
    if (rule.condition.from_ms && rule.condition.to_ms && *rule.condition.from_ms >= *rule.condition.to_ms)
      return Error::reject("rule: to must be after from");
    return check_event_types(rule.condition.match.types, "rule");
  }
  if (rule.parts.empty()) return Error::reject("rule: all, any and not need at least one part");
  for (const auto& part : rule.parts)
    if (auto checked = check(part, depth + 1, conditions); !checked) return checked;
  return {};
}

std::string query_id(std::uint64_t version) { return fmt::format("marquee-segment-version-{}", version); }

/// Of a definition that is a question; a list is none.
Result<SegmentQuery> definition_query(const SegmentDefinition& definition, const Scope& scope) {
  if (const auto* rule = std::get_if<SegmentRule>(&definition)) return segment_query(*rule, scope);
  auto funnel = std::get<FunnelRequest>(definition);
  funnel.scope.site = scope.site;
  funnel.scope.segments = scope.segments;
  auto query = dropped_query(funnel);
  if (!query) return query.error();
  return SegmentQuery{std::move(query->sql), std::move(query->parameters), std::move(query->data)};
}

Result<void> write_list(clickhouse::Client& store, const SegmentPlace& place, std::vector<std::uint64_t> users) {
  std::ranges::sort(users);
  users.erase(std::ranges::unique(users).begin(), users.end());
  std::string rows;
  for (const auto user : users)
    fmt::format_to(std::back_inserter(rows), "{}\t{}\t{}\t{}\n", place.site_id, place.segment_id, place.version, user);
  const auto written = store.insert(kInto, "TabSeparated", rows);
  if (!written) return written.error().error;
  return {};
}

}  // namespace

Result<void> check(const SegmentDefinition& definition) {
  if (const auto* rule = std::get_if<SegmentRule>(&definition)) {
    std::size_t conditions = 0;
    return check(*rule, 1, conditions);
  }
  if (const auto* funnel = std::get_if<FunnelRequest>(&definition)) {
    if (!funnel->dropped_after) return Error::reject("funnel: dropped_after: missing; a segment is of who left there");
    if (auto checked = check_funnel(*funnel); !checked) return Error::reject("funnel: " + checked.error().message);
    return {};
  }
  const auto& users = std::get<std::vector<std::uint64_t>>(definition);
  if (users.size() > kMostUsers) return Error::reject(fmt::format("users: at most {} are taken", kMostUsers));
  if (std::ranges::find(users, std::uint64_t{0}) != users.end()) return Error::reject("users: key 0 is nobody's");
  return {};
}

Result<std::uint64_t> SegmentWriter::write(const SegmentPlace& place, const SegmentDefinition& definition,
                                           const Scope& scope) {
  // Of a catalog that was lost, whose versions are given again.
  if (auto removed = remove(place.version); !removed) return removed.error();
  if (const auto* users = std::get_if<std::vector<std::uint64_t>>(&definition)) {
    if (auto written = write_list(store_, place, *users); !written) return written.error();
  } else {
    auto query = definition_query(definition, scope);
    if (!query) return query.error();
    query->parameters["segment"] = place.segment_id;
    query->parameters["version"] = std::to_string(place.version);
    const auto done = store_.execute(
        fmt::format("{} SELECT {{site:String}}, {{segment:String}}, {{version:UInt64}}, user_key FROM ({})", kInto,
                    query->sql),
        query->parameters, {.query_id = query_id(place.version), .timeout_ms = 0});
    if (!done) return done.error();
  }
  const auto rows = store_.table("SELECT count() FROM marquee.segment_users WHERE version = {version:UInt64}",
                                 {{"version", std::to_string(place.version)}});
  if (!rows) return rows.error();
  return number(rows->rows.at(0).at(0));
}

Result<std::string> SegmentWriter::state(const SegmentDefinition& definition, const Scope& scope) {
  if (std::holds_alternative<std::vector<std::uint64_t>>(definition)) return std::string("list");
  const auto query = definition_query(definition, scope);
  if (!query) return query.error();
  auto state = data_version(store_, "events", query->data);
  if (!state) return state.error();
  *state += "\n" + query->sql;
  for (const auto& [name, value] : query->parameters) *state += fmt::format("\n{}={}", name, value);
  return state;
}

Result<void> SegmentWriter::remove(std::uint64_t version) {
  // A partition's name is no value that could be bound.
  return store_.execute(fmt::format("ALTER TABLE marquee.segment_users DROP PARTITION ID '{}'", version));
}

void SegmentWriter::interrupt(std::uint64_t version) {
  // Where it fails the store is away, and the query with it.
  (void)store_.execute("KILL QUERY WHERE query_id = {id:String} ASYNC", {{"id", query_id(version)}});
}

Result<std::vector<std::uint64_t>> SegmentWriter::versions() {
  const auto rows = store_.table(
      "SELECT DISTINCT partition_id FROM system.parts WHERE database = 'marquee' AND table = 'segment_users' AND "
      "active");
  if (!rows) return rows.error();
  std::vector<std::uint64_t> versions;
  for (const auto& row : rows->rows) versions.push_back(number(row.at(0)));
  return versions;
}

}  // namespace marquee::analytics
