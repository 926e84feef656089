#include "store_access.h"

#include <fmt/format.h>

#include "marquee/clickhouse/shards.h"

namespace marquee::app {

namespace {

/// Of store.url; database as readers have it.
Result<std::vector<clickhouse::Endpoint>> configured_shards(const Settings& settings) {
  auto shards =
      clickhouse::parse_shards(settings.store_url, {.user = settings.store_user, .password = settings.store_password});
  if (!shards) return shards.error();
  if (!settings.store_cluster.empty() && !clickhouse::is_cluster_name(settings.store_cluster))
    return Error::reject(fmt::format("store.cluster: \"{}\" is not a cluster's name", settings.store_cluster));
  const bool has_several = shards->size() > 1 || !shards->front().other_replicas.empty();
  if (has_several && settings.store_cluster.empty())
    return Error::reject("store.url names several nodes: name their cluster in store.cluster (MARQUEE_STORE_CLUSTER)");
  return shards;
}

}  // namespace

Result<std::vector<clickhouse::Endpoint>> store_shards(const App& app) {
  const Settings& settings = app.settings();
  if (settings.store_url.empty()) {
    if (!settings.store_cluster.empty())
      return Error::reject("store.cluster needs the nodes of the cluster in store.url");
    const auto endpoint = store_endpoint(app);
    if (!endpoint) return endpoint.error();
    return std::vector{*endpoint};
  }
  auto shards = configured_shards(settings);
  if (shards && !settings.store_cluster.empty()) {
    for (auto& shard : *shards) shard.database = clickhouse::kShardDatabase;
  }
  return shards;
}

std::optional<clickhouse::ClusterSchema> cluster_schema(const App& app) {
  if (app.settings().store_cluster.empty()) return std::nullopt;
  return clickhouse::ClusterSchema(app.settings().store_cluster);
}

Result<clickhouse::Endpoint> store_endpoint(const App& app, bool as_reader) {
  const Settings& settings = app.settings();
  if (!settings.store_url.empty()) {
    const auto shards = configured_shards(settings);
    if (!shards) return shards.error();
    return clickhouse::any_node(*shards);
  }
  const auto running = app.running();
  if (!running) return running.error();
  if (as_reader) {
    return clickhouse::Endpoint{
        .url = running->store_url, .user = running->reader_user, .password = running->reader_password};
  }
  return clickhouse::Endpoint{
      .url = running->store_url, .user = running->store_user, .password = running->store_password};
}

std::string loader_directory(const App& app) { return app.settings().data_dir + "/loader"; }

}  // namespace marquee::app
