#include "cluster_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <random>
#include <set>

#include "marquee/base/time.h"
#include "marquee/clickhouse/migrations.h"
#include "marquee/clickhouse/shards.h"
#include "store_access.h"

namespace marquee::app {
namespace {

using clickhouse::Client;
using clickhouse::kShardDatabase;

constexpr std::int64_t kClocksApartMs = 2'000;

/// One replica of one shard.
struct Node {
  Client* client = nullptr;
  std::size_t shard = 0;
  std::size_t replica = 0;
  std::string name;  ///< Its URL.

  [[nodiscard]] clickhouse::QueryOptions only() const {
    clickhouse::QueryOptions options;
    options.settings["database"] = "default";
    options.replica = replica;
    return options;
  }
  [[nodiscard]] Result<clickhouse::Table> ask(const std::string& sql) const { return client->table(sql, {}, only()); }
  /// The first cell; empty where there is none.
  [[nodiscard]] Result<std::string> cell(const std::string& sql) const {
    auto table = ask(sql);
    if (!table) return table.error();
    return table->rows.empty() ? std::string() : table->rows.front().front();
  }
  [[nodiscard]] Result<void> run(const std::string& sql, const clickhouse::Settings& settings = {}) const {
    auto options = only();
    options.settings.insert(settings.begin(), settings.end());
    return client->execute(sql, {}, options);
  }
};

class ClusterCheck {
 public:
  ClusterCheck(const App& app, const std::vector<clickhouse::Endpoint>& shards, Checklist& list)
      : cluster_(app.settings().store_cluster), clients_(clickhouse::connect(shards)), list_(list) {
    for (std::size_t shard = 0; shard < shards.size(); ++shard) {
      nodes_.push_back({clients_[shard].get(), shard, 0, shards[shard].url});
      for (std::size_t i = 0; i < shards[shard].other_replicas.size(); ++i)
        nodes_.push_back({clients_[shard].get(), shard, i + 1, shards[shard].other_replicas[i]});
    }
  }

  void run() {
    std::erase_if(nodes_, [this](const Node& node) { return !answers(node); });
    if (nodes_.empty()) return;
    check_versions();
    check_macros();
    check_names();
    for (const Node& node : nodes_) {
      check_clock(node);
      check_keeper(node);
      check_tables(node);
    }
    check_sums();
    if (list_.bad_count() != 0) return list_.note("trial", "left out until the above is mended");
    try_tokens();
  }

 private:
  bool answers(const Node& node) {
    const auto one = node.cell("SELECT 1");
    if (one) {
      list_.good("answers", fmt::format("{} (shard {}, replica {})", node.name, node.shard + 1, node.replica + 1));
    } else {
      list_.bad("answers", one.error().message);
    }
    return one.has_value();
  }

  void check_versions() {
    std::map<std::string, std::string> where;
    for (const Node& node : nodes_) {
      if (const auto version = node.cell("SELECT version()")) where[*version] = node.name;
    }
    if (where.size() == 1) return list_.good("version", where.begin()->first + " everywhere");
    std::string all;
    for (const auto& [version, name] : where) all += fmt::format(" {} at {};", version, name);
    list_.bad("version", "nodes differ:" + all + " run the same one everywhere");
  }

  void check_macros() {
    std::map<std::size_t, std::string> shard_macros;
    std::set<std::string> places;
    bool is_good = true;
    for (const Node& node : nodes_) {
      const auto shard = node.cell("SELECT substitution FROM system.macros WHERE macro = 'shard'");
      const auto replica = node.cell("SELECT substitution FROM system.macros WHERE macro = 'replica'");
      if (!shard || !replica || shard->empty() || replica->empty()) {
        list_.bad("macros", node.name + " has no macros {shard} and {replica}: set <macros> in its configuration");
        is_good = false;
        continue;
      }
      const auto& first = shard_macros.emplace(node.shard, *shard).first->second;
      if (first != *shard || !places.insert(*shard + "/" + *replica).second) {
        list_.bad("macros",
                  fmt::format("{} is {}/{}: another node is that, or others of its shard in store.url are of {}",
                              node.name, *shard, *replica, first));
        is_good = false;
      }
    }
    if (is_good) list_.good("macros", fmt::format("{} places, each once", places.size()));
  }

  void check_names() {
    const std::size_t shards = clients_.size();
    for (const Node& node : nodes_) {
      const auto known =
          node.cell(fmt::format("SELECT uniqExact(shard_num) FROM system.clusters WHERE cluster = '{}'", cluster_));
      if (!known) {
        list_.bad("cluster", known.error().message);
      } else if (*known != std::to_string(shards)) {
        list_.bad("cluster", fmt::format("{} knows {} shards of \"{}\" in remote_servers where store.url has {}",
                                         node.name, *known, cluster_, shards));
      } else {
        list_.good("cluster", fmt::format("{} knows the {} shards of \"{}\"", node.name, *known, cluster_));
      }
    }
  }

  void check_clock(const Node& node) {
    const auto here = [] {
      return std::chrono::duration_cast<Millis>(std::chrono::system_clock::now().time_since_epoch()).count();
    };
    const std::int64_t before = here();
    const auto there = node.cell("SELECT toUnixTimestamp64Milli(now64(3))");
    const std::int64_t after = here();
    if (!there) return list_.bad("clock", there.error().message);
    const std::int64_t time = std::stoll(*there);
    const std::int64_t apart = std::max<std::int64_t>({before - time, time - after, 0});
    const std::string text = fmt::format("{} is {} ms from this machine", node.name, apart);
    if (apart > kClocksApartMs) return list_.bad("clock", text + ": mend its time service");
    list_.good("clock", text);
  }

  void check_keeper(const Node& node) {
    const auto root = node.cell("SELECT count() FROM system.zookeeper WHERE path = '/'");
    if (!root) return list_.bad("keeper", fmt::format("{} has no Keeper: {}", node.name, root.error().message));
    list_.good("keeper", node.name + " reads it");
  }

  void check_tables(const Node& node) {
    const auto known = node.cell(fmt::format("SELECT max(number) FROM {}.migrations", clickhouse::kDatabase));
    const auto newest = std::to_string(clickhouse::built_in_migrations().back().number);
    if (!known || *known != newest) {
      return list_.bad("schema", fmt::format("{} has not the schema of this program: run `marquee migrate up`{}",
                                             node.name, known ? "" : " (" + known.error().message + ")"));
    }
    const auto tables = node.ask(fmt::format(
        "SELECT t.name, t.engine, toString(r.is_readonly), r.active_replicas, r.total_replicas, "
        "toUInt64OrZero(extract(t.engine_full, 'replicated_deduplication_window = (\\\\d+)')), "
        "toUInt64OrZero(extract(t.engine_full, 'replicated_deduplication_window_seconds = (\\\\d+)')) "
        "FROM system.tables AS t LEFT JOIN system.replicas AS r ON r.database = t.database AND r.table = t.name "
        "WHERE t.database IN ('{}', '{}') AND t.engine LIKE '%MergeTree' ORDER BY t.name",
        clickhouse::kDatabase, kShardDatabase));
    if (!tables) return list_.bad("tables", tables.error().message);
    std::size_t good = 0;
    for (const auto& row : tables->rows) good += is_good_table(node, row) ? 1 : 0;
    if (good == tables->rows.size() && good != 0)
      list_.good("tables", fmt::format("{}: {} tables, replicated, writable, with their windows", node.name, good));
    if (tables->rows.empty()) list_.bad("tables", node.name + " has none");
  }

  bool is_good_table(const Node& node, const std::vector<std::string>& row) {
    if (clickhouse::placement_of(row[0]) == clickhouse::Placement::node) return true;
    const auto bad = [&](const std::string& why) {
      list_.bad("tables", fmt::format("{}: {} {}", node.name, row[0], why));
      return false;
    };
    if (!row[1].starts_with("Replicated")) return bad("is " + row[1] + ", not replicated");
    if (row[2] != "0") return bad("is read-only: it has lost Keeper");
    if (row[3] != row[4]) return bad(fmt::format("has {} of {} replicas active", row[3], row[4]));
    if (std::stoull(row[5]) < clickhouse::kTokenWindowBlocks || std::stoull(row[6]) < clickhouse::kTokenWindowSeconds)
      return bad(
          fmt::format("knows tokens for {} blocks and {} s only: ALTER TABLE ... MODIFY SETTING "
                      "replicated_deduplication_window = {}, replicated_deduplication_window_seconds = {}",
                      row[5], row[6], clickhouse::kTokenWindowBlocks, clickhouse::kTokenWindowSeconds));
    return true;
  }

  /// Of the first replica of each shard. Events may land meanwhile, so that there is a least and a most.
  [[nodiscard]] Result<std::uint64_t> sum_of_shards() const {
    std::uint64_t sum = 0;
    std::set<std::size_t> counted;
    for (const Node& node : nodes_) {
      if (!counted.insert(node.shard).second) continue;
      const auto rows = node.cell(fmt::format("SELECT count() FROM {}.events", kShardDatabase));
      if (!rows) return rows.error();
      sum += std::stoull(*rows);
    }
    return sum;
  }

  void check_sums() {
    for (const Node& node : nodes_) {
      const auto least = sum_of_shards();
      const auto all = node.cell(fmt::format("SELECT count() FROM {}.events", clickhouse::kDatabase));
      const auto most = sum_of_shards();
      if (!least || !all || !most) {
        list_.bad("sums", !least ? least.error().message : !all ? all.error().message : most.error().message);
        continue;
      }
      const std::uint64_t count = std::stoull(*all);
      const std::string text = fmt::format("{} counts {} events; the shards hold {}", node.name, count, *most);
      if (count < *least || count > *most) {
        list_.bad("sums", text);
      } else {
        list_.good("sums", text);
      }
    }
  }

  void try_tokens() {
    const std::string database = fmt::format("marquee_trial_{:08x}", std::random_device{}());
    const auto tried = try_tokens_in(database);
    // Dropped whatever came of it.
    const auto dropped =
        nodes_.front().run(fmt::format("DROP DATABASE IF EXISTS {} ON CLUSTER `{}` SYNC", database, cluster_));
    if (!tried) {
      list_.bad("trial", tried.error().message);
    } else {
      list_.good("trial",
                 "an insert sent twice with its token is kept once, in every view's table, on every replica; "
                 "partitions are swapped");
    }
    if (!dropped) list_.bad("trial", fmt::format("drop {} by hand: {}", database, dropped.error().message));
  }

  [[nodiscard]] Result<void> try_tokens_in(const std::string& database) {
    const auto made = make_trial_tables(database);
    if (!made) return made;
    for (std::size_t shard = 0; shard < clients_.size(); ++shard) {
      std::vector<Node> replicas;
      std::ranges::copy_if(nodes_, std::back_inserter(replicas), [&](const Node& node) { return node.shard == shard; });
      if (auto tried = try_shard(database, replicas); !tried) return tried;
    }
    return {};
  }

  [[nodiscard]] Result<void> make_trial_tables(const std::string& database) {
    const std::string on = fmt::format(" ON CLUSTER `{}`", cluster_);
    const auto kept = [&](std::string_view table, std::string_view columns, std::string_view engine) {
      return fmt::format(
          "CREATE TABLE {0}.{1}{2} ({3}) ENGINE = Replicated{4}('/clickhouse/tables/{{shard}}/{0}/{1}', "
          "'{{replica}}') PARTITION BY day ORDER BY (day, k)",
          database, table, on, columns, engine);
    };
    const std::vector<std::string> statements = {
        fmt::format("CREATE DATABASE {}{}", database, on),
        fmt::format("CREATE TABLE {}.entry{} (day Date, k UInt64, loader String) ENGINE = Null", database, on),
        fmt::format("CREATE TABLE {}.inner{} (day Date, k UInt64) ENGINE = Null", database, on),
        kept("events", "day Date, k UInt64", "MergeTree"),
        kept("sums", "day Date, k UInt64, n UInt64", "SummingMergeTree"),
        kept("fresh", "day Date, k UInt64, n UInt64", "SummingMergeTree"),
        fmt::format("CREATE MATERIALIZED VIEW {0}.entry_mv{1} TO {0}.inner AS SELECT day, k FROM {0}.entry", database,
                    on),
        fmt::format("CREATE MATERIALIZED VIEW {0}.events_mv{1} TO {0}.events AS SELECT * FROM {0}.inner", database, on),
        fmt::format("CREATE MATERIALIZED VIEW {0}.sums_mv{1} TO {0}.sums AS SELECT day, k % 2 AS k, count() AS n "
                    "FROM {0}.inner GROUP BY day, k",
                    database, on)};
    for (const std::string& statement : statements) {
      if (auto done = nodes_.front().run(statement); !done) return done;
    }
    return {};
  }

  [[nodiscard]] Result<void> try_shard(const std::string& database, const std::vector<Node>& replicas) {
    const auto insert = [&](const Node& node, std::string_view loader, const std::string& token) {
      return node.run(
          fmt::format("INSERT INTO {0}.entry (day, k, loader) VALUES ('2026-01-01', 1, '{1}'), ('2026-01-01', 2, "
                      "'{1}'), ('2026-01-02', 3, '{1}')",
                      database, loader),
          {{"insert_deduplication_token", token},
           {"insert_deduplicate", "1"},
           {"deduplicate_blocks_in_dependent_materialized_views", "1"},
           {"async_insert", "0"},
           {"insert_quorum", "auto"}});
    };
    // The second time as another loader would, through another replica where there is one.
    if (auto done = insert(replicas.front(), "a", "trial/0/0-3"); !done) return done;
    if (auto done = insert(replicas.back(), "b", "trial/0/0-3"); !done) return done;
    if (auto done = expect(database, replicas, "3\t3", "after the same token twice"); !done) return done;
    if (auto done = insert(replicas.back(), "b", "trial/0/3-6"); !done) return done;
    if (auto done = expect(database, replicas, "6\t6", "after another token"); !done) return done;
    // As a rebuild does.
    const Node& first = replicas.front();
    for (const char* statement : {"INSERT INTO {0}.fresh SELECT day, k, n FROM {0}.sums WHERE day = '2026-01-01'",
                                  "ALTER TABLE {0}.sums REPLACE PARTITION ID '20260101' FROM {0}.fresh",
                                  "ALTER TABLE {0}.sums MOVE PARTITION ID '20260102' TO TABLE {0}.fresh"}) {
      if (auto done = first.run(fmt::format(fmt::runtime(statement), database)); !done) return done;
    }
    return expect(database, replicas, "6\t4", "after a partition was replaced and one moved away");
  }

  [[nodiscard]] Result<void> expect(const std::string& database, const std::vector<Node>& replicas,
                                    const std::string& counts, std::string_view when) {
    for (const Node& node : replicas) {
      for (const char* table : {"events", "sums"}) {
        if (auto done = node.run(fmt::format("SYSTEM SYNC REPLICA {}.{} LIGHTWEIGHT", database, table)); !done)
          return done;
      }
      const auto rows = node.ask(
          fmt::format("SELECT (SELECT count() FROM {0}.events) AS e, (SELECT sum(n) FROM {0}.sums) AS s", database));
      if (!rows) return rows.error();
      const std::string found = fmt::format("{}", fmt::join(rows->rows.at(0), "\t"));
      if (found != counts) {
        return Error::reject(
            fmt::format("{} {} holds {} rows (events, sums) where {} are right: its deduplication does not "
                        "keep what the loader relies on",
                        node.name, when, found, counts));
      }
    }
    return {};
  }

  const std::string cluster_;
  clickhouse::Clients clients_;
  Checklist& list_;
  std::vector<Node> nodes_;
};

}  // namespace

void check_cluster(const App& app, Checklist& list) {
  if (app.settings().store_cluster.empty() || app.settings().store_url.empty()) {
    return list.bad("cluster", "none is configured: name its nodes in store.url and itself in store.cluster");
  }
  const auto shards = store_shards(app);
  if (!shards) return list.bad("cluster", shards.error().message);
  ClusterCheck(app, *shards, list).run();
}

}  // namespace marquee::app
