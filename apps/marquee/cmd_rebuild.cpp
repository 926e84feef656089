// marquee rebuild: the rollups again, from the events table.
#include <fmt/format.h>

#include "commands.h"
#include "marquee/ingest/loader.h"
#include "store_access.h"

namespace marquee::app {
namespace {

int run_rebuild(const App& app, const std::string& from, const std::string& to) {
  const auto shards = store_shards(app);
  if (!shards) return fail(shards.error());
  std::uint64_t days = 0;
  for (const auto& shard : *shards) {
    clickhouse::Client store(shard);
    const auto count = ingest::rebuild_rollups(store, from, to);
    if (!count) return fail(count.error());
    days += *count;
  }
  fmt::print("{} days of rollups rebuilt\n", days);
  return 0;
}

}  // namespace

void add_rebuild_command(CLI::App& root, App& app) {
  auto* command = root.add_subcommand(
      "rebuild", "Count the rollups again from the events table, a day at a time; reports go on meanwhile");
  auto from = std::make_shared<std::string>();
  auto to = std::make_shared<std::string>();
  command->add_option("--from", *from, "First day, as 2026-01-31 (default: the first there is)");
  command->add_option("--to", *to, "Last day (default: the last there is)");
  command->footer("Examples:\n  marquee rebuild\n  marquee rebuild --from 2026-01-01 --to 2026-01-31");
  command->callback([&app, from, to] { app.exit_code = run_rebuild(app, *from, *to); });
}

}  // namespace marquee::app
