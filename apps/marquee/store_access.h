// The store, as the tools (query, migrate, rebuild, doctor) reach it.
#pragma once

#include <optional>
#include <vector>

#include "app.h"
#include "marquee/clickhouse/client.h"
#include "marquee/clickhouse/cluster_schema.h"

namespace marquee::app {

/// The configured store (store.url), or that of the Marquee that runs on the data directory. As `reader` it may only
/// read, which a configured store is trusted to see to itself.
[[nodiscard]] Result<clickhouse::Endpoint> store_endpoint(const App& app, bool as_reader = false);

/// What loaders, migrations and rebuilds speak to: the shards of the cluster and their own database, or the one store.
[[nodiscard]] Result<std::vector<clickhouse::Endpoint>> store_shards(const App& app);

/// How the schema is rendered for the configured cluster; none for one ClickHouse.
[[nodiscard]] std::optional<clickhouse::ClusterSchema> cluster_schema(const App& app);

/// The loader's own directory, whose locks hold inserts and a rebuild apart.
[[nodiscard]] std::string loader_directory(const App& app);

}  // namespace marquee::app
