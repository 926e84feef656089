#include "marquee/engine/pool.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <utility>

namespace marquee::engine {
namespace {

constexpr std::size_t kMaxIdle = 16;

/// The server's settings. Caches are bounded because the collector shares the machine; a slow memory worker keeps an
/// idle store idle. The engine writes no system log tables when embedded, so there is none to turn off.
std::string server_configuration(const EngineOptions& options) {
  const std::string memory =
      options.max_memory_bytes > 0
          ? fmt::format("  <max_server_memory_usage>{}</max_server_memory_usage>\n", options.max_memory_bytes)
          : "  <max_server_memory_usage_to_ram_ratio>0.6</max_server_memory_usage_to_ram_ratio>\n";
  return fmt::format(
      "<clickhouse>\n{}"
      "  <background_pool_size>{}</background_pool_size>\n"
      "  <background_schedule_pool_size>8</background_schedule_pool_size>\n"
      "  <mark_cache_size>268435456</mark_cache_size>\n"
      "  <primary_index_cache_size>268435456</primary_index_cache_size>\n"
      "  <index_mark_cache_size>67108864</index_mark_cache_size>\n"
      "  <memory_worker_period_ms>1000</memory_worker_period_ms>\n"
      // Tools ask cluster() and clusterAllReplicas() of 'default', which every ClickHouse has: this process. The port
      // is how the engine knows itself; it opens none.
      "  <tcp_port>9000</tcp_port>\n"
      "  <remote_servers><default><shard><replica><host>127.0.0.1</host><port>9000</port></replica></shard></default>"
      "</remote_servers>\n"
      "  <user_directories><users_xml><path>roles.xml</path></users_xml></user_directories>\n"  // Beside this file.
      "</clickhouse>\n",
      memory, options.background_threads);
}

/// The engine's one user, who may do all, and the roles that a connection is reduced to for who may not: a wall behind
/// the judge's. None of them reaches files, addresses or the users.
constexpr std::string_view kRoleSettings =
    "<clickhouse>\n  <profiles><default/></profiles>\n  <quotas><default/></quotas>\n  <roles>\n"
    "    <admin><grants><query>GRANT ALL ON *.* WITH GRANT OPTION</query></grants></admin>\n"
    "    <reader><grants><query>GRANT SELECT, SHOW, dictGet, CREATE TEMPORARY TABLE ON *.*</query></grants></reader>\n"
    "    <writer><grants><query>GRANT SELECT, SHOW, dictGet, INSERT ON *.*</query></grants></writer>\n"
    "    <maker><grants><query>GRANT SELECT, SHOW, dictGet, CREATE TABLE, DROP TABLE, TRUNCATE ON "
    "*.*</query></grants></maker>\n"
    "  </roles>\n  <users><default>\n"
    "    <password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>\n"
    "    <grants><query>GRANT admin, reader, writer, maker</query></grants>\n"
    "  </default></users>\n</clickhouse>\n";

Result<void> write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file)
    return Error::give_up(fmt::format("cannot write {}; is the disk full or the directory not ours?", path.string()));
  return {};
}

}  // namespace

Pool::Lease::Lease(Pool* pool, std::unique_ptr<Connection> connection)
    : pool_(pool), connection_(std::move(connection)) {}

Pool::Lease::~Lease() {
  if (connection_ != nullptr) pool_->give_back(std::move(connection_));
}

Pool::Pool(std::shared_ptr<const Library> library) : library_(std::move(library)) {}
Pool::~Pool() = default;

Result<std::unique_ptr<Pool>> Pool::start(EngineOptions options) {
  std::error_code failed;
  std::filesystem::create_directories(options.data_directory, failed);
  if (failed) {
    return Error::give_up(
        fmt::format("cannot make the data directory {}: {}", options.data_directory.string(), failed.message()));
  }
  auto library = Library::load(options.library);
  if (!library) return library.error();
  const auto configuration = options.data_directory / "server.xml";
  if (auto written = write_file(configuration, server_configuration(options)); !written) return written.error();

  if (auto written = write_file(options.data_directory / "roles.xml", std::string(kRoleSettings)); !written) {
    return written.error();
  }

  std::unique_ptr<Pool> pool(new Pool(*library));
  pool->arguments_ = {"--path=" + options.data_directory.string(), "--config-file=" + configuration.string(),
                      // The engine's shell takes "1 + 1" for a query; a server does not.
                      "--implicit_select=0", "--allow_introspection_functions=0",
                      // An insert that is answered is in its table: whoever retries relies on it.
                      "--async_insert=0"};
  pool->keeper_ = Connection::open(*library, pool->arguments_);
  if (pool->keeper_ == nullptr) {
    return Error::give_up(
        fmt::format("the engine did not start on {}; its message is above", options.data_directory.string()));
  }
  if (auto looked = pool->look_at_engine(); !looked) return looked.error();
  return pool;
}

Result<void> Pool::look_at_engine() {
  auto answer = keeper_->query("SELECT version(), timezone()", "TSV");
  if (!answer) return Error::give_up("the engine does not answer: " + answer.error().message);
  const std::size_t tab = answer->find('\t');
  version_ = answer->substr(0, tab);
  timezone_ = answer->substr(tab + 1);
  while (!timezone_.empty() && timezone_.back() == '\n') timezone_.pop_back();
  return {};
}

Answer<Pool::Lease> Pool::lend(std::string_view database) {
  {
    const std::scoped_lock lock(mutex_);
    auto found = std::ranges::find_if(idle_, [&](const auto& idle) { return idle->database() == database; });
    if (found == idle_.end() && !idle_.empty()) found = idle_.begin();
    if (found != idle_.end()) {
      auto connection = std::move(*found);
      idle_.erase(found);
      return Lease(this, std::move(connection));
    }
  }
  auto connection = Connection::open(library_, arguments_);
  if (connection == nullptr) {
    return std::unexpected(
        failure(kTooManyQueries, "TOO_MANY_SIMULTANEOUS_QUERIES", "the engine opens no further connection"));
  }
  return Lease(this, std::move(connection));
}

void Pool::give_back(std::unique_ptr<Connection> connection) {
  if (connection->is_spent()) return;
  const std::scoped_lock lock(mutex_);
  if (idle_.size() < kMaxIdle) idle_.push_back(std::move(connection));
}

}  // namespace marquee::engine
