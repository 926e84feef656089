// The schema of sql/ for a cluster: the same statements, with replicated tables in a database of their own on each
// node, and what readers ask in front of them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"

namespace marquee::clickhouse {

/// Database of the tables on one machine, and what readers name everywhere.
inline constexpr std::string_view kDatabase = "marquee";
/// On a cluster, database of the shard's own tables and materialized views: what loaders and rebuilds name.
/// marquee.<table> is then a Distributed table over marquee_local.<table> of every shard.
inline constexpr std::string_view kShardDatabase = "marquee_local";

/// How long, and for how many inserted blocks, a replicated table knows a token again. The time is longer than the
/// longest outage that loses nothing; the number is what Keeper can carry. A token is relied on for kTokenTrust only.
inline constexpr std::uint64_t kTokenWindowSeconds = 8ULL * 86'400;
inline constexpr std::uint64_t kTokenWindowBlocks = 100'000;

/// Where a table's rows are on a cluster.
enum class Placement {
  shard,    ///< On every replica of one shard.
  cluster,  ///< On every node, in `marquee` itself: small tables that are written and read under one name.
  node,     ///< On this node alone: the locks and lists that the views of this node look at.
};
[[nodiscard]] Placement placement_of(std::string_view table);

/// Renders statements for a cluster, in the order of the migrations: a table made AS another takes over its engine. Not
/// thread safe.
class ClusterSchema {
 public:
  /// `cluster` as in remote_servers. Where not `is_ddl_distributed` the statements are for the node that they are sent
  /// to, instead of ON CLUSTER.
  explicit ClusterSchema(std::string cluster, bool is_ddl_distributed = true);

  /// What to run in place of `statement`. Action::give_up where it is of a kind that has no rendering here: CREATE
  /// DATABASE, TABLE, VIEW and MATERIALIZED VIEW, ALTER TABLE and DROP are known.
  [[nodiscard]] Result<std::vector<std::string>> render(std::string_view statement);

 private:
  struct Parsed;
  [[nodiscard]] Result<std::string> render_table(const Parsed& parsed, std::vector<std::string>& more);
  [[nodiscard]] std::string replicated(std::string_view engine, std::string_view table) const;
  [[nodiscard]] std::string reader(std::string_view table) const;

  std::string cluster_;
  std::string on_cluster_;                      ///< " ON CLUSTER `name`", or nothing.
  std::map<std::string, std::string> engines_;  ///< By table: all from ENGINE on, as it stands in sql/.
};

/// Whether `name` can be a cluster's: letters, digits, '_', '-' and '.'.
[[nodiscard]] bool is_cluster_name(std::string_view name);

}  // namespace marquee::clickhouse
