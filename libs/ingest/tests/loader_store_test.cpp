// The loader with the real engine: what landed, what the rollups say, and what is left after kill -9 of the store.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "../../clickhouse/tests/store_process.h"
#include "loader_test_events.h"
#include "marquee/clickhouse/migrations.h"
#include "marquee/ingest/loader.h"
#include "marquee/ingest/rollup.h"
#include "marquee/log/memory_log.h"

namespace marquee::ingest {
namespace {

using clickhouse::testing::StoreProcess;
using testing::append;
using testing::encoded;
using testing::eventually;
using testing::kDay;
using testing::kNewYear;
using testing::make_event;

class LoaderInTheStore : public ::testing::Test {
 protected:
  void SetUp() override {
    if (clickhouse::testing::store_binary().empty()) GTEST_SKIP() << clickhouse::testing::why_no_store();
    store = std::make_unique<StoreProcess>();
    clickhouse::Endpoint endpoint;
    endpoint.url = store->url();
    client = std::make_unique<clickhouse::Client>(endpoint);
    const auto applied = clickhouse::migrate_up(*client, clickhouse::built_in_migrations());
    ASSERT_TRUE(applied) << applied.error().message;
    log = log::open_memory_log(3);
    options.linger_ms = 5;
  }
  void TearDown() override { loader.reset(); }
  void start() {
    loader = std::make_unique<Loader>(options, *log, *client);
    loader->start();
  }
  [[nodiscard]] bool is_all_confirmed() {
    for (log::Partition p = 0; p < log->partitions(); ++p) {
      const auto progress = log->progress(p);
      if (!progress || progress->plan || progress->next != log->end(p)) return false;
    }
    return true;
  }
  [[nodiscard]] std::string ask(const std::string& sql) {
    const auto table = client->table(sql);
    return table ? fmt::format("{}", fmt::join(table->rows.at(0), " ")) : table.error().message;
  }
  void expect_landed_exactly(std::size_t count) {
    ASSERT_TRUE(eventually([this] { return is_all_confirmed(); }, std::chrono::seconds(120)))
        << loader->status().last_error;
    EXPECT_EQ(ask("SELECT count(), uniqExact(session_id, seq) FROM marquee.events"), fmt::format("{0} {0}", count));
    const auto differences = rollup_differences(*client);
    ASSERT_TRUE(differences) << differences.error().message;
    EXPECT_TRUE(differences->empty()) << fmt::format("{}", fmt::join(*differences, "\n"));
  }
  void add_many(std::uint64_t session, std::uint32_t first, std::uint32_t count, std::int64_t step_ms) {
    std::vector<std::string> records;
    for (std::uint32_t i = first; i < first + count; ++i) {
      records.push_back(encoded(make_event(session, i, kNewYear + i * step_ms)));
    }
    append(*log, static_cast<log::Partition>(session % 3), records);
  }

  std::unique_ptr<StoreProcess> store;
  std::unique_ptr<clickhouse::Client> client;
  std::unique_ptr<log::EventLog> log;
  LoaderOptions options;
  std::unique_ptr<Loader> loader;
};

TEST_F(LoaderInTheStore, lands_seven_days_in_one_batch_and_every_rollup_equals_a_recount) {
  for (std::uint64_t session = 1; session <= 20; ++session) add_many(session, 1, 500, 7 * kDay / 501);
  start();
  expect_landed_exactly(10'000);
  EXPECT_EQ(ask("SELECT count() FROM marquee.events WHERE event_type = 'click'"),
            ask("SELECT sum(clicks) FROM marquee.campaign_minute"));
  EXPECT_NE(ask("SELECT sum(clicks) FROM marquee.campaign_hour"), "0");
  EXPECT_NE(ask("SELECT sum(value_e4) FROM marquee.campaign_hour"), "0");
  EXPECT_EQ(ask("SELECT sum(length(events)) FROM marquee.user_days"), "10000");
  EXPECT_NE(ask("SELECT sum(count) FROM marquee.user_features"), "0");
  EXPECT_EQ(
      ask("SELECT sum(count) FROM marquee.heatmap_cells"),
      ask("SELECT countIf(event_type IN ('impression','viewable_impression','hover','click')) FROM marquee.events"));
}

TEST_F(LoaderInTheStore, finds_and_mends_a_rollup_that_differs) {
  add_many(1, 1, 2'000, 60'000);
  start();
  expect_landed_exactly(2'000);
  ASSERT_TRUE(
      client->execute("INSERT INTO marquee.campaign_hour (site_id, time, clicks) "
                      "VALUES ('campus', '2026-01-01 00:00:00', 1)"));
  ASSERT_TRUE(client->execute("ALTER TABLE marquee.user_days DROP PARTITION ID '20260102'"));
  auto differences = rollup_differences(*client);
  ASSERT_TRUE(differences) << differences.error().message;
  ASSERT_EQ(differences->size(), 2U);
  EXPECT_TRUE((*differences)[0].starts_with("campaign_hour of 20260101")) << (*differences)[0];
  EXPECT_TRUE((*differences)[1].starts_with("user_days of 20260102")) << (*differences)[1];
  const auto rebuilt = rebuild_rollups(*client, "2026-01-01", "2026-01-02");
  ASSERT_TRUE(rebuilt) << rebuilt.error().message;
  EXPECT_EQ(*rebuilt, 10U);
  expect_landed_exactly(2'000);
  EXPECT_FALSE(rebuild_rollups(*client, "yesterday", ""));
}

TEST_F(LoaderInTheStore, keeps_every_column) {
  auto event = make_event(7, 9, kNewYear + 1);
  event.external_id = "order-1";
  event.type = event::Type::click;
  event.user_key = 0xFFFF'FFFF'FFFF'FFFE;
  event.program = "mba";
  event.city = "Pune";
  event.device = "mobile";
  event.os = "android";
  event.browser = "chrome";
  event.year_of_study = 3;
  event.is_bot = true;
  event.consent = event::Consent::full;
  event.page_path = "/courses/\xE0\xA4\x97";
  event.referrer_host = "example.org";
  event.position = 2;
  event.viewport_width = 412;
  event.viewport_height = 915;
  event.scroll_depth = 2'500;
  event.page_x = 1;
  event.page_y = 9'999;
  event.decision_id = "d-1";
  event.course_id = "c-1";
  event.search_query = "tab\tand 'quote'";
  event.results_count = 0;
  event.dwell_ms = 4'000'000'000;
  event.visible_ms = 12;
  event.value = -0.1;
  event.propensity = 0.25F;
  event.policy = "v3";
  event.props = R"({"a":{"b":[1,2]},"a.b":"again","n":1.5})";
  append(*log, 1, {encoded(event)});
  start();
  expect_landed_exactly(1);
  const auto row = client->table("SELECT * FROM marquee.events");
  ASSERT_TRUE(row);
  EXPECT_EQ(
      fmt::format("{}", fmt::join(row->rows.at(0), "|")),
      "campus|7|9|order-1|2026-01-01 00:00:00.001|2026-01-01 00:00:00.251|click|18446744073709551614|south|mba|3|Pune|"
      "mobile|android|chrome|true|full|home|/courses/"
      "\xE0\xA4\x97|example.org|hero|2|412|915|2500|333|819|1|9999|autumn|"
      "ad-1|d-1|c-1|tab\tand 'quote'|0|4000000000|12|-0.1|0.25|v3|{\"a\":{\"b\":[1,2]},\"n\":1.5}|1|0");
}

TEST_F(LoaderInTheStore, loses_and_doubles_nothing_while_the_store_is_killed_again_and_again) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  options.max_batch_rows = 2'000;
  start();
  std::size_t sent = 0;
  std::uint64_t session = 0;
  for (int kill = 0; kill < 20; ++kill) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(random() % 400);
    while (std::chrono::steady_clock::now() < end) {
      const auto count = static_cast<std::uint32_t>(random() % 600 + 1);
      add_many(++session, 1, count, 3 * kDay / 700);
      sent += count;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));  // The rate of the load, which the store can follow.
    }
    store->kill_now();
    add_many(++session, 1, 50, 1'000);
    sent += 50;
    if (random() % 4 == 0) loader.reset();  // Now and then marquee dies with it (as far as a thread can).
    store->start();
    if (!loader) start();
  }
  expect_landed_exactly(sent);
  RecordProperty("recoveries", static_cast<int>(loader->status().recoveries));
}

TEST_F(LoaderInTheStore, refuses_a_schema_that_it_does_not_know) {
  EXPECT_EQ(clickhouse::migrate_up(*client, clickhouse::built_in_migrations()), 0U);
  auto changed = clickhouse::built_in_migrations();
  changed[0].checksum = "another";
  EXPECT_FALSE(clickhouse::migration_status(*client, changed));
  auto fewer = clickhouse::built_in_migrations();
  fewer.pop_back();
  const auto refused = clickhouse::migrate_up(*client, fewer);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().action, Action::give_up);
}

}  // namespace
}  // namespace marquee::ingest
