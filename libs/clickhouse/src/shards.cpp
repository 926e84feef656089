#include "marquee/clickhouse/shards.h"

#include <fmt/format.h>

namespace marquee::clickhouse {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

Result<std::vector<Endpoint>> parse_shards(std::string_view urls, const Endpoint& common) {
  std::vector<Endpoint> shards;
  for (const std::string_view shard : split(urls, ';')) {
    Endpoint endpoint = common;
    endpoint.url.clear();
    for (const std::string_view url : split(shard, ',')) {
      if (!url.starts_with("http://") || url.find(' ') != std::string_view::npos) {
        return Error::reject(
            fmt::format("\"{}\" in \"{}\" is not the address of a ClickHouse: write http://host:port, "
                        "replicas of a shard separated by ',', shards by ';'",
                        url, urls));
      }
      if (endpoint.url.empty()) {
        endpoint.url = url;
      } else {
        endpoint.other_replicas.emplace_back(url);
      }
    }
    shards.push_back(std::move(endpoint));
  }
  return shards;
}

Endpoint any_node(const std::vector<Endpoint>& shards) {
  Endpoint all = shards.front();
  for (auto shard = shards.begin() + 1; shard != shards.end(); ++shard) {
    all.other_replicas.push_back(shard->url);
    all.other_replicas.insert(all.other_replicas.end(), shard->other_replicas.begin(), shard->other_replicas.end());
  }
  return all;
}

Clients connect(const std::vector<Endpoint>& shards, http::ClientOptions options) {
  Clients clients;
  for (const Endpoint& shard : shards) clients.push_back(std::make_unique<Client>(shard, options));
  return clients;
}

std::vector<Client*> borrowed(const Clients& clients) {
  std::vector<Client*> pointers;
  for (const auto& client : clients) pointers.push_back(client.get());
  return pointers;
}

}  // namespace marquee::clickhouse
