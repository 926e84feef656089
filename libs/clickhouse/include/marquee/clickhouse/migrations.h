// Numbered SQL migrations: sql/NNNN_name.sql, applied in order and recorded in marquee.migrations.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "marquee/clickhouse/client.h"
#include "marquee/clickhouse/cluster_schema.h"

namespace marquee::clickhouse {

struct Migration {
  unsigned number = 0;
  std::string name;
  std::string sql;       ///< Statements, separated by lines that end in ';'.
  std::string checksum;  ///< Of sql, hex.
};

struct MigrationState {
  Migration migration;
  bool is_applied = false;
};

/// Built-in migrations (compiled in from sql/), ascending by number without gaps.
[[nodiscard]] const std::vector<Migration>& built_in_migrations();

/// Of a migration's text, hex.
[[nodiscard]] std::string migration_checksum(std::string_view sql);

/// The statements of a migration, without comment lines.
[[nodiscard]] std::vector<std::string> split_statements(std::string_view sql);

/// The same, rendered for the cluster of `schema` where that is not null. Migrations are given in their order.
[[nodiscard]] Result<std::vector<std::string>> statements_of(const Migration& migration, ClusterSchema* schema);

/// What is applied and what waits. Refuses (Action::give_up) a schema newer than this program
/// knows, and an applied migration whose text has changed since.
[[nodiscard]] Result<std::vector<MigrationState>> migration_status(Client& client,
                                                                   const std::vector<Migration>& migrations);

/// Applies what waits, in order; each is idempotent, so that one cut off by a crash is run again. Returns the number
/// applied. With a `schema` they are rendered for its cluster.
[[nodiscard]] Result<unsigned> migrate_up(Client& client, const std::vector<Migration>& migrations,
                                          ClusterSchema* schema = nullptr);

}  // namespace marquee::clickhouse
