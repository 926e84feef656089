// marquee migrate: the store's schema.
#include <fmt/format.h>

#include "commands.h"
#include "marquee/clickhouse/migrations.h"
#include "marquee/ingest/event_order.h"
#include "marquee/ingest/rollup.h"
#include "parts.h"
#include "store_access.h"

namespace marquee::app {
namespace {

/// Shows Kafka's topics; false where one of them would lose data.
Result<bool> show_topics(const App& app) {
  const auto wishes = topic_wishes(app.settings());
  const auto states = kafka::describe_topics(kafka_cluster(app.settings()), wishes);
  if (!states) return states.error();
  bool is_good = true;
  for (const auto& state : *states) {
    fmt::print("topic {:<28} {}\n", state.name,
               state.partitions == 0 ? "waits"
                                     : fmt::format("{} partitions, {} replicas, {}", state.partitions,
                                                   state.replication, state.settings.at("cleanup.policy")));
    for (const std::string& refusal : state.refusals) {
      fmt::print(stderr, "marquee: {}\n", refusal);
      is_good = false;
    }
  }
  return is_good;
}

int show_migrations(const App& app) {
  if (app.settings().log_kind == "kafka") {
    const auto shown = show_topics(app);
    if (!shown) return fail(shown.error());
    if (!*shown) return 1;
  }
  const auto shards = store_shards(app);
  if (!shards) return fail(shards.error());
  clickhouse::Client store(shards->front());
  const auto states = clickhouse::migration_status(store, clickhouse::built_in_migrations());
  if (!states) return fail(states.error());
  for (const auto& [migration, is_applied] : *states) {
    fmt::print("{:04}  {:<24} {}\n", migration.number, migration.name, is_applied ? "applied" : "waits");
  }
  return 0;
}

Result<void> make_topics(const App& app) {
  const auto wishes = topic_wishes(app.settings());
  const auto cluster = kafka_cluster(app.settings());
  const auto made = kafka::make_topics(cluster, wishes);
  if (!made) return made.error();
  if (*made != 0) fmt::print("{} topics made\n", *made);
  const auto states = kafka::describe_topics(cluster, wishes);
  if (!states) return states.error();
  std::string why;
  for (const auto& state : *states) {
    for (const std::string& refusal : state.refusals) why += (why.empty() ? "" : "\nmarquee: ") + refusal;
  }
  if (!why.empty()) return Error::reject(why);
  return {};
}

int up(const App& app, bool topics_only) {
  if (app.settings().log_kind == "kafka") {
    if (auto made = make_topics(app); !made) return fail(made.error());
  }
  if (topics_only) return 0;
  const auto shards = store_shards(app);
  if (!shards) return fail(shards.error());
  clickhouse::Client store(shards->front());
  auto schema = cluster_schema(app);
  const auto count = clickhouse::migrate_up(store, clickhouse::built_in_migrations(), schema ? &*schema : nullptr);
  if (!count) return fail(count.error());
  std::uint64_t counted = 0;
  for (const auto& shard : *shards) {
    clickhouse::Client one(shard);
    const auto ordered = ingest::order_events(one);
    if (!ordered) return fail(ordered.error());
    const auto rollups = ingest::count_changed_rollups(one);
    if (!rollups) return fail(rollups.error());
    counted += *rollups + static_cast<std::uint64_t>(*ordered);
  }
  fmt::print("{}\n", *count == 0 && counted == 0 ? "nothing to do: every migration is applied"
                                                 : fmt::format("{} applied", *count));
  return 0;
}

/// The statements, as `up` would run them on an empty store.
int print_sql(const App& app) {
  auto schema = cluster_schema(app);
  for (const auto& migration : clickhouse::built_in_migrations()) {
    const auto statements = clickhouse::statements_of(migration, schema ? &*schema : nullptr);
    if (!statements) return fail(statements.error());
    fmt::print("-- {:04}_{}\n", migration.number, migration.name);
    for (const std::string& statement : *statements)
      fmt::print("{};\n\n", statement.substr(0, statement.find_last_not_of('\n') + 1));
  }
  return 0;
}

}  // namespace

void add_migrate_command(CLI::App& root, App& app) {
  auto* command = root.add_subcommand(
      "migrate", "Show or bring up the store's schema, which `marquee serve` does at start, and Kafka's topics");
  command->require_subcommand(1);
  command->footer("Examples:\n  marquee migrate status\n  marquee migrate up");
  command->add_subcommand("status", "What is applied and what waits")->callback([&app] {
    app.exit_code = show_migrations(app);
  });
  command->add_subcommand("sql", "Print every statement, rendered for the store.cluster that is configured")
      ->callback([&app] { app.exit_code = print_sql(app); });
  auto* up_command = command->add_subcommand("up", "Apply what waits, in order; make and check Kafka's topics");
  auto topics_only = std::make_shared<bool>(false);
  up_command->add_flag("--topics-only", *topics_only, "Leave the store as it is");
  up_command->callback([&app, topics_only] { app.exit_code = up(app, *topics_only); });
}

}  // namespace marquee::app
