#include <fmt/format.h>

#include "answer_rows.h"
#include "cached_store.h"
#include "marquee/analytics/reports.h"
#include "query.h"

namespace marquee::analytics {
namespace {

Result<void> check(const FunnelRequest& request) {
  if (request.steps.size() < 2 || request.steps.size() > 8)
    return Error::reject(fmt::format("steps: expected two to eight event types, got {}", request.steps.size()));
  if (auto known = check_event_types(request.steps, "steps"); !known) return known;
  if (request.window_seconds < 1 || request.window_seconds > 2'592'000)
    return Error::reject("window_seconds: expected 1 to 2592000 (30 days)");
  return check(request.scope);
}

}  // namespace

Result<FunnelReport> Reports::funnel(const FunnelRequest& request) {
  if (auto checked = check(request); !checked) return checked.error();
  clickhouse::Parameters parameters;
  std::string conditions, types, times;
  const auto steps = request.steps.size();
  for (std::size_t i = 0; i < steps; ++i) {
    parameters[fmt::format("step{}", i)] = request.steps[i];
    conditions += fmt::format("{}event_type = {{step{}:String}}", i == 0 ? "" : ", ", i);
    types += fmt::format("{}{{step{}:String}}", i == 0 ? "" : ", ", i);
  }
  parameters["window"] = std::to_string(request.window_seconds * 1000);
  const auto filter = where(request.scope, "event_time", parameters);
  // strict means that other events break the chain, so they must be seen.
  const auto only_steps = request.is_strict ? std::string() : fmt::format(" AND event_type IN ({})", types);
  // Anonymous users (no key) are told apart by session.
  const auto by_user = fmt::format(
      "SELECT if(user_key != 0, user_key, session_id) AS who, "
      "windowFunnel({{window:UInt64}}{})(toUInt64(toUnixTimestamp64Milli(event_time)), {}) AS level, "
      "arraySort(groupArray((toUnixTimestamp64Milli(event_time), toString(event_type)))) AS happened FROM "
      "marquee.events{}{} GROUP BY who HAVING level > 0",
      request.is_strict ? ", 'strict_order'" : "", conditions, filter, only_steps);
  for (std::size_t i = 0; i < steps; ++i) times += fmt::format("{}{{step{}:String}}", i == 0 ? "[" : ", ", i);
  times += "]";
  // First completion: each step's time is that of the first such event after the step before, from the earliest start.
  const auto query = fmt::format(
      "WITH {0} AS names SELECT {1} FROM (SELECT level, arrayFold((chain, name) -> arrayPushBack(chain, "
      "if(empty(chain), arrayFirst(e -> e.2 = name, happened).1, arrayFirst(e -> e.2 = name AND e.1 > chain[-1], "
      "happened).1)), "
      "names, emptyArrayInt64()) AS chain FROM ({2}))",
      times,
      [&] {
        std::string columns;
        for (std::size_t i = 0; i < steps; ++i) {
          columns += fmt::format("{}countIf(level >= {})", i == 0 ? "" : ", ", i + 1);
          columns += i == 0 ? ", nan"
                            : fmt::format(", medianIf(chain[{}] - chain[{}], level >= {} AND chain[{}] > chain[{}])",
                                          i + 1, i, i + 1, i + 1, i);
        }
        return columns +
               fmt::format(", medianIf(chain[{0}] - chain[1], level >= {0} AND chain[{0}] > chain[1])", steps);
      }(),
      by_user);
  const auto rows = store_->table("events", request.scope, query, parameters);
  if (!rows) return rows.error();
  FunnelReport report;
  const auto& row = rows->rows.at(0);
  for (std::size_t i = 0; i < steps; ++i)
    report.steps.push_back({request.steps[i], number(row[2 * i]), real(row[2 * i + 1])});
  report.median_ms_total = real(row[2 * steps]);
  return report;
}

}  // namespace marquee::analytics
