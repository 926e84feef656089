// The nodes of a cluster, as store.url names them.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "marquee/clickhouse/client.h"

namespace marquee::clickhouse {

/// "http://a:8123,http://b:8123;http://c:8123,http://d:8123": shards separated by ';', their replicas by ','. Each
/// shard is `common` with its replicas' URLs. Action::reject where a URL is empty or is not http.
[[nodiscard]] Result<std::vector<Endpoint>> parse_shards(std::string_view urls, const Endpoint& common);

/// Every node as a replica of one endpoint, for what any of them can answer.
[[nodiscard]] Endpoint any_node(const std::vector<Endpoint>& shards);

using Clients = std::vector<std::unique_ptr<Client>>;
[[nodiscard]] Clients connect(const std::vector<Endpoint>& shards, http::ClientOptions options = {});
/// Borrowed from `clients`.
[[nodiscard]] std::vector<Client*> borrowed(const Clients& clients);

}  // namespace marquee::clickhouse
