#include "marquee/api/sql_reader.h"

#include <fmt/format.h>

#include <array>

namespace marquee::api {
namespace {

constexpr auto kSqlTables =
    std::to_array<std::string_view>({"events", "campaign_minute", "campaign_hour", "delivery_sums", "heatmap_cells",
                                     "user_days", "user_features", "segment_users", "decisions", "decision_candidates",
                                     "inventories", "journeys", "journey_days", "search_sessions"});

}  // namespace

std::span<const std::string_view> sql_tables() { return kSqlTables; }

Result<void> make_sql_reader(clickhouse::Client& store, std::string_view password) {
  // The password is of letters and digits: secrets are. Made anew, the user has no grant that an earlier program gave.
  if (auto made = store.execute(fmt::format("CREATE USER OR REPLACE {} IDENTIFIED BY '{}'", kSqlReader, password));
      !made)
    return made;
  std::string grants = "SELECT ON system.columns";
  for (const auto table : kSqlTables) grants += fmt::format(", SELECT ON marquee.{}", table);
  return store.execute(fmt::format("GRANT {} TO {}", grants, kSqlReader));
}

}  // namespace marquee::api
