// marquee migrate: the store's schema.
#include <fmt/format.h>

#include "commands.h"
#include "marquee/clickhouse/migrations.h"
#include "store_access.h"

namespace marquee::app {
namespace {

int show(const App& app) {
  const auto endpoint = store_endpoint(app);
  if (!endpoint) return fail(endpoint.error());
  clickhouse::Client store(*endpoint);
  const auto states = clickhouse::migration_status(store, clickhouse::built_in_migrations());
  if (!states) return fail(states.error());
  for (const auto& [migration, is_applied] : *states) {
    fmt::print("{:04}  {:<24} {}\n", migration.number, migration.name, is_applied ? "applied" : "waits");
  }
  return 0;
}

int up(const App& app) {
  const auto endpoint = store_endpoint(app);
  if (!endpoint) return fail(endpoint.error());
  clickhouse::Client store(*endpoint);
  const auto count = clickhouse::migrate_up(store, clickhouse::built_in_migrations());
  if (!count) return fail(count.error());
  fmt::print("{}\n", *count == 0 ? "nothing to do: every migration is applied" : fmt::format("{} applied", *count));
  return 0;
}

}  // namespace

void add_migrate_command(CLI::App& root, App& app) {
  auto* command =
      root.add_subcommand("migrate", "Show or bring up the schema of the store; `marquee serve` does it at start");
  command->require_subcommand(1);
  command->footer("Examples:\n  marquee migrate status\n  marquee migrate up");
  command->add_subcommand("status", "What is applied and what waits")->callback([&app] { app.exit_code = show(app); });
  command->add_subcommand("up", "Apply what waits, in order")->callback([&app] { app.exit_code = up(app); });
}

}  // namespace marquee::app
