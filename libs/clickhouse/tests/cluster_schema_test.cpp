#include "marquee/clickhouse/cluster_schema.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "marquee/clickhouse/migrations.h"
#include "store_process.h"

namespace marquee::clickhouse {
namespace {

std::vector<std::string> render(ClusterSchema& schema, std::string_view statement) {
  const auto rendered = schema.render(statement);
  EXPECT_TRUE(rendered) << rendered.error().message;
  return rendered ? *rendered : std::vector<std::string>();
}

std::vector<std::string> render_all(ClusterSchema& schema) {
  std::vector<std::string> all;
  for (const auto& migration : built_in_migrations()) {
    const auto some = statements_of(migration, &schema);
    EXPECT_TRUE(some) << some.error().message;
    if (some) all.insert(all.end(), some->begin(), some->end());
  }
  return all;
}

TEST(ClusterSchema, makes_a_table_replicated_with_its_windows_and_a_distributed_one_for_readers) {
  ClusterSchema schema("campus");
  const auto made =
      render(schema,
             "CREATE TABLE IF NOT EXISTS marquee.t\n(\n    a String DEFAULT 'ENGINE = Log', -- marquee.t\n"
             "    b UInt8\n)\nENGINE = ReplacingMergeTree(b)\nORDER BY a\nSETTINGS x = 1\n");
  ASSERT_EQ(made.size(), 2U);
  EXPECT_EQ(
      made[0],
      "CREATE TABLE IF NOT EXISTS marquee_local.t ON CLUSTER `campus`\n(\n    a String DEFAULT 'ENGINE = Log', -- "
      "marquee.t\n    b UInt8\n)\nENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/marquee/t', "
      "'{replica}', b)\nORDER BY a\nSETTINGS replicated_deduplication_window = 100000, "
      "replicated_deduplication_window_seconds = 691200, x = 1\n");
  EXPECT_EQ(made[1],
            "CREATE TABLE IF NOT EXISTS marquee.t ON CLUSTER `campus` AS marquee_local.t\n"
            "ENGINE = Distributed('campus', 'marquee_local', 't')\n");
}

TEST(ClusterSchema, gives_a_table_made_as_another_a_place_of_its_own_in_keeper) {
  ClusterSchema schema("c");
  (void)render(schema, "CREATE TABLE marquee.a (x UInt8) ENGINE = MergeTree ORDER BY x\n");
  const auto made = render(schema, "CREATE TABLE IF NOT EXISTS marquee.b AS marquee.a\n");
  ASSERT_EQ(made.size(), 2U);
  EXPECT_NE(made[0].find("marquee_local.b ON CLUSTER `c` AS marquee_local.a"), std::string::npos) << made[0];
  EXPECT_NE(made[0].find("ReplicatedMergeTree('/clickhouse/tables/{shard}/marquee/b', '{replica}')"),
            std::string::npos);
}

TEST(ClusterSchema, alters_columns_for_readers_too_and_settings_only_where_the_rows_are) {
  ClusterSchema schema("c");
  (void)render(schema, "CREATE TABLE marquee.a (x UInt8) ENGINE = MergeTree ORDER BY x\n");
  const auto column = render(schema, "ALTER TABLE marquee.a ADD COLUMN IF NOT EXISTS y UInt8\n");
  EXPECT_EQ(column,
            (std::vector<std::string>{"ALTER TABLE marquee_local.a ON CLUSTER `c` ADD COLUMN IF NOT EXISTS y UInt8\n",
                                      "ALTER TABLE marquee.a ON CLUSTER `c` ADD COLUMN IF NOT EXISTS y UInt8\n"}));
  EXPECT_EQ(render(schema, "ALTER TABLE marquee.a MODIFY SETTING z = 1\n").size(), 1U);
}

TEST(ClusterSchema, keeps_views_and_what_they_look_at_on_each_node) {
  ClusterSchema schema("c");
  EXPECT_EQ(render(schema, "CREATE TABLE marquee.loaders_replaced (loader String) ENGINE = MergeTree ORDER BY loader"),
            std::vector<std::string>{"CREATE TABLE marquee_local.loaders_replaced ON CLUSTER `c` (loader String) "
                                     "ENGINE = MergeTree ORDER BY loader"});
  EXPECT_EQ(
      render(schema, "CREATE MATERIALIZED VIEW marquee.v TO marquee.t AS SELECT x.marquee.a FROM marquee.s"),
      std::vector<std::string>{"CREATE MATERIALIZED VIEW marquee_local.v ON CLUSTER `c` TO marquee_local.t AS SELECT "
                               "x.marquee.a FROM marquee_local.s"});
}

TEST(ClusterSchema, has_small_tables_whole_on_every_node_under_the_one_name) {
  ClusterSchema schema("c");
  const auto made = render(schema, "CREATE TABLE marquee.pipeline (x UInt8) ENGINE = MergeTree ORDER BY x");
  ASSERT_EQ(made.size(), 1U);
  EXPECT_TRUE(
      made[0].starts_with("CREATE TABLE marquee.pipeline ON CLUSTER `c` (x UInt8) ENGINE = ReplicatedMergeTree("
                          "'/clickhouse/tables/marquee/pipeline', '{shard}_{replica}') ORDER BY x"))
      << made[0];
  EXPECT_EQ(render(schema, "ALTER TABLE marquee.dead_letters ADD COLUMN y UInt8, MODIFY ORDER BY (x, y)").size(), 1U);
  // What only readers name stays with what they name.
  EXPECT_EQ(render(schema, "CREATE VIEW marquee.v AS SELECT * FROM marquee.events, marquee.pipeline"),
            std::vector<std::string>{
                "CREATE VIEW marquee.v ON CLUSTER `c` AS SELECT * FROM marquee.events, marquee.pipeline"});
}

TEST(ClusterSchema, refuses_what_it_has_no_form_for) {
  ClusterSchema schema("c");
  EXPECT_FALSE(schema.render("INSERT INTO marquee.t VALUES (1)"));
  EXPECT_FALSE(schema.render("CREATE TABLE other.t (a UInt8) ENGINE = Null"));
  EXPECT_FALSE(schema.render("CREATE TABLE marquee.t AS marquee.unknown"));
  EXPECT_FALSE(is_cluster_name("a b"));
  EXPECT_FALSE(is_cluster_name("a`"));
}

TEST(ClusterSchema, renders_every_migration_as_the_engine_reads_it) {
  if (testing::store_binary().empty()) GTEST_SKIP() << testing::why_no_store();
  testing::StoreProcess store;
  Client client({.url = store.url()});
  QueryOptions options;
  options.settings["database"] = "default";
  ClusterSchema schema("campus");
  std::size_t replicated = 0;
  for (const std::string& statement : render_all(schema)) {
    const auto parsed = client.query("EXPLAIN AST " + statement, {}, options);
    EXPECT_TRUE(parsed) << statement << parsed.error().message;
    EXPECT_NE(statement.find("ON CLUSTER"), std::string::npos) << statement;
    replicated += statement.find("ENGINE = Replicated") != std::string::npos ? 1 : 0;
  }
  EXPECT_GE(replicated, 9U);
}

}  // namespace
}  // namespace marquee::clickhouse
