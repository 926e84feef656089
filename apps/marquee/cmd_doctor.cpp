// marquee doctor: checks the installation and what runs, and says what to fix.
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "checklist.h"
#include "cluster_check.h"
#include "commands.h"
#include "marquee/clickhouse/migrations.h"
#include "marquee/http/client.h"
#include "marquee/ingest/retention.h"
#include "marquee/ingest/rollup.h"
#include "store_access.h"

namespace marquee::app {
namespace {

namespace fs = std::filesystem;

void check_programs(const App& app, Checklist& list) {
  const std::string store = store_binary();
  if (!app.settings().store_url.empty()) {
    list.good("store", "a ClickHouse of your own, " + app.settings().store_url);
  } else if (::access(store.c_str(), X_OK) != 0) {
    list.bad("marquee-store", store + " is missing: run `make build`");
  } else if (const std::string command = "'" + store + "' --version-engine >/dev/null 2>&1";
             std::system(command.c_str()) != 0) {
    list.bad("engine", "libchdb does not load: run `make install`; `" + store + " --version-engine` says why");
  } else {
    list.good("engine", store + " and libchdb");
  }
  const std::string console = app.settings().http_console_dir.empty()
                                  ? executable_directory() + "/../../../web/console/dist"
                                  : app.settings().http_console_dir;
  std::error_code ec;
  if (fs::exists(console + "/index.html", ec)) {
    list.good("console", fs::weakly_canonical(console, ec).string());
  } else {
    list.note("console", console + " holds no console: run `make build`, or set http.console_dir");
  }
}

void check_data(const App& app, Checklist& list) {
  const std::string& directory = app.settings().data_dir;
  std::error_code ec;
  fs::path existing = fs::absolute(directory, ec);
  while (!fs::exists(existing, ec) && existing.has_parent_path() && existing != existing.parent_path())
    existing = existing.parent_path();
  if (::access(existing.c_str(), W_OK) != 0) {
    return list.bad("data", fmt::format("{} cannot be written: change its owner, or data_dir (MARQUEE_DATA_DIR)",
                                        existing.string()));
  }
  struct statvfs disk{};
  if (::statvfs(existing.c_str(), &disk) != 0)
    return list.bad("disk", existing.string() + " cannot be asked for its free space");
  const auto free_bytes = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  const auto least = app.settings().log_min_free_disk_bytes;
  const std::string text =
      fmt::format("{:.1f} GiB free at {}", static_cast<double>(free_bytes) / (1ULL << 30), existing.string());
  if (free_bytes < least) {
    list.bad("disk", fmt::format("{}: below log.min_free_disk ({:.1f} GiB), events are refused; free some", text,
                                 static_cast<double>(least) / (1ULL << 30)));
  } else {
    list.good("disk", text);
  }
}

void check_store(const App& app, Checklist& list, bool with_rollups) {
  const auto endpoint = store_endpoint(app);
  if (!endpoint) return list.bad("store", endpoint.error().message);
  clickhouse::Client store(*endpoint);
  if (!store.ping()) return list.bad("store", endpoint->url + " does not answer; see the log of marquee serve");
  list.good("store", endpoint->url);
  const auto states = clickhouse::migration_status(store, clickhouse::built_in_migrations());
  if (!states) return list.bad("schema", states.error().message);
  for (const auto& [migration, is_applied] : *states) {
    if (!is_applied)
      return list.bad("schema", fmt::format("migration {:04} waits: run `marquee migrate up`", migration.number));
  }
  list.good("schema", fmt::format("{} migrations, all applied", states->size()));
  const auto terms = ingest::retention_terms(store);
  if (!terms) return list.bad("retention", terms.error().message);
  if (terms->empty()) list.note("retention", "everything is kept for ever (retention.events)");
  for (const auto& [table, term] : *terms) list.good("retention", fmt::format("{}: {}", table, term));
  if (!with_rollups) return;
  const auto shards = store_shards(app);
  if (!shards) return list.bad("rollups", shards.error().message);
  bool is_equal = true;
  for (const auto& shard : *shards) {
    clickhouse::Client of_shard(shard);
    const auto differences = ingest::rollup_differences(of_shard);
    if (!differences) return list.bad("rollups", differences.error().message);
    for (const auto& difference : *differences)
      list.bad("rollups", difference + "; `marquee rebuild` counts them again");
    is_equal = is_equal && differences->empty();
  }
  if (is_equal) list.good("rollups", "each equals a recount from the events");
}

void check_running(const App& app, Checklist& list, bool with_rollups) {
  const auto running = app.running();
  if (!running) return list.note("running", running.error().message);
  http::Client client(running->http_url);
  const auto ready = client.send("GET", "/readyz", {}, "");
  if (!ready)
    return list.bad("running", fmt::format("process {} does not answer at {}: {}", running->pid, running->http_url,
                                           ready.error().message));
  if (ready->status != 200) return list.bad("running", "not ready: " + ready->body.substr(0, ready->body.find('\n')));
  list.good("running", running->http_url);
  check_store(app, list, with_rollups);
}

}  // namespace

void add_doctor_command(CLI::App& root, App& app) {
  auto* command = root.add_subcommand("doctor", "Check the installation and what runs, and say what to fix");
  auto with_rollups = std::make_shared<bool>(false);
  command->add_flag("--rollups", *with_rollups, "Also compare every rollup with a recount from the events");
  auto of_cluster = std::make_shared<bool>(false);
  command->add_flag("--cluster", *of_cluster,
                    "Check the ClickHouse cluster at store.url instead: every node, its tables, and a trial insert");
  command->footer("Examples:\n  marquee doctor\n  marquee doctor --rollups\n  marquee doctor --cluster");
  command->callback([&app, with_rollups, of_cluster] {
    Checklist list;
    if (*of_cluster) {
      check_cluster(app, list);
      app.exit_code = list.bad_count() == 0 ? 0 : 1;
      return;
    }
    check_programs(app, list);
    check_data(app, list);
    check_running(app, list, *with_rollups);
    app.exit_code = list.bad_count() == 0 ? 0 : 1;
  });
}

}  // namespace marquee::app
