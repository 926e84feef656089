// The loader on the real engine behind a proxy that lies about inserts, with plain tables and with tokens: whatever it
// was told, each event is there once, and every rollup equals a recount.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "../../clickhouse/tests/store_process.h"
#include "loader_store_fixture.h"
#include "loader_test_events.h"
#include "lying_proxy.h"
#include "marquee/clickhouse/migrations.h"
#include "marquee/ingest/loader.h"
#include "marquee/ingest/rollup.h"
#include "marquee/log/memory_log.h"

namespace marquee::ingest {
namespace {

using clickhouse::testing::StoreProcess;
using testing::eventually;
using testing::kDay;
using testing::kNewYear;
using testing::Lie;

/// The parameter: whether batches are landed as on replicated tables. The engine here inserts into no such, so the
/// tables are plain ones that know tokens too.
class LoaderAndLies : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    if (clickhouse::testing::store_binary().empty()) GTEST_SKIP() << clickhouse::testing::why_no_store();
    store = std::make_unique<StoreProcess>();
    direct = std::make_unique<clickhouse::Client>(clickhouse::Endpoint{.url = store->url()});
    const auto applied = clickhouse::migrate_up(*direct, clickhouse::built_in_migrations());
    ASSERT_TRUE(applied) << applied.error().message;
    proxy = std::make_unique<testing::LyingProxy>(store->url());
    client = std::make_unique<clickhouse::Client>(clickhouse::Endpoint{.url = proxy->url()});
    log = log::open_memory_log(3);
    options.linger_ms = 2;
    options.max_batch_rows = 400;
    options.report_ms = 0;
    options.replicated = GetParam();
    if (options.replicated && knows_tokens) know_tokens();
  }
  void TearDown() override { loader.reset(); }

  void know_tokens() {
    const auto all = rollups(*direct);
    ASSERT_TRUE(all) << all.error().message;
    std::vector<std::string> tables = {"events"};
    for (const auto& rollup : *all) tables.push_back(rollup.table);
    for (const auto& table : tables) {
      const auto done = direct->execute(
          fmt::format("ALTER TABLE marquee.{} MODIFY SETTING non_replicated_deduplication_window = 10000", table));
      ASSERT_TRUE(done) << done.error().message;
    }
  }
  void start() {
    loader = std::make_unique<Loader>(options, *log, *client);
    loader->start();
  }
  void add_many(std::uint64_t session, std::uint32_t count) {
    std::vector<std::string> records;
    const std::int64_t now = SystemClock().now().time_since_epoch().count();
    for (std::uint32_t i = 1; i <= count; ++i) {
      auto event = testing::make_event(session, i, kNewYear + i * (2 * kDay / 400));
      event.received_time_ms = now - received_ago_ms;  // A token is relied on for some minutes after that.
      records.push_back(testing::encoded(event));
    }
    testing::append(*log, static_cast<log::Partition>(session % 3), records);
    sent += count;
  }
  [[nodiscard]] bool is_all_confirmed() { return testing::is_all_confirmed(*log); }
  [[nodiscard]] std::string ask(const std::string& sql) { return testing::ask(*direct, sql); }
  void expect_each_once() {
    ASSERT_TRUE(eventually([this] { return is_all_confirmed(); }, std::chrono::seconds(180)))
        << loader->status().last_error;
    testing::expect_in_the_store(*direct, sent);
  }
  /// As left by a loader that died behind its insert, which had this outcome: its batch is planned under its name.
  void die_behind(Lie lie) {
    start();
    add_many(3, 10);
    expect_each_once();
    proxy->cut_after(lie);
    add_many(6, 300);
    ASSERT_TRUE(eventually([&] { return proxy->told()[lie] == 1; }));
    loader.reset();
    ASSERT_TRUE(log->progress(0)->plan);
  }
  /// The same lie about each insert, so many times.
  void tell(Lie lie, unsigned times) {
    proxy->lie([lie, times]() mutable { return times == 0 ? Lie::none : (--times, lie); });
  }

  std::unique_ptr<StoreProcess> store;
  std::unique_ptr<clickhouse::Client> direct;  ///< Past the proxy.
  std::unique_ptr<testing::LyingProxy> proxy;
  std::unique_ptr<clickhouse::Client> client;
  std::unique_ptr<log::EventLog> log;
  LoaderOptions options;
  std::unique_ptr<Loader> loader;
  std::size_t sent = 0;
  std::int64_t received_ago_ms = 0;
  bool knows_tokens = true;
};

class LoaderAndForgottenTokens : public LoaderAndLies {
 protected:
  LoaderAndForgottenTokens() { knows_tokens = false; }
};

TEST_P(LoaderAndLies, lands_each_event_once_whatever_it_is_told_and_whenever_a_late_insert_arrives) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  proxy->lie([draw = std::mt19937(seed)]() mutable {
    return draw() % 2 == 0 ? Lie::none : static_cast<Lie>(draw() % testing::kLies);
  });
  start();
  std::uint64_t session = 0;
  // Until every lie was told: on a busy machine many rounds go into one insert.
  for (int round = 0; round < 20 || (proxy->told().size() < testing::kLies && round < 2'000); ++round) {
    add_many(++session, static_cast<std::uint32_t>(random() % 300 + 1));
    if (random() % 3 == 0) proxy->release(1);
    if (random() % 12 == 0) {
      loader.reset();
      start();
    }
    ASSERT_TRUE(eventually([this] { return loader->status().lag_events < 1'500; })) << loader->status().last_error;
  }
  expect_each_once();
  const auto taken = proxy->release();
  // Each was shut out; with tokens the store takes them and keeps nothing.
  if (!options.replicated) {
    EXPECT_EQ(taken, 0U);
  }
  expect_each_once();
  EXPECT_EQ(proxy->told().size(), testing::kLies);
}

TEST_P(LoaderAndLies, completes_what_some_views_have_and_others_have_not) {
  ASSERT_TRUE(direct->execute("CREATE TABLE marquee.heatmap_fault (x UInt8) ENGINE = Null"));
  ASSERT_TRUE(direct->execute("CREATE TABLE marquee.faults (n UInt8) ENGINE = MergeTree ORDER BY n"));
  // Fails an insert among the other views, for as long as there is a row.
  ASSERT_TRUE(direct->execute("INSERT INTO marquee.faults VALUES (1)"));
  ASSERT_TRUE(
      direct->execute("CREATE MATERIALIZED VIEW marquee.heatmap_fault_view TO marquee.heatmap_fault AS SELECT "
                      "throwIf(seq = 3 AND toUInt8(1) IN (SELECT n FROM marquee.faults), 'a fault') AS x FROM "
                      "marquee.events_in"));
  start();
  add_many(1, 300);
  add_many(2, 300);
  ASSERT_TRUE(eventually([this] { return loader->status().recoveries > 0 || !loader->status().last_error.empty(); }));
  ASSERT_TRUE(direct->execute("TRUNCATE TABLE marquee.faults"));
  expect_each_once();
}

TEST_P(LoaderAndLies, waits_through_too_many_parts_without_a_dead_letter) {
  tell(Lie::too_many_parts, 3);
  start();
  add_many(1, 300);
  expect_each_once();
  EXPECT_EQ(ask("SELECT count() FROM marquee.dead_letters"), "0");
}

TEST_P(LoaderAndLies, completes_the_plan_of_one_that_died_while_its_insert_was_on_its_way) {
  ASSERT_NO_FATAL_FAILURE(die_behind(Lie::late));
  proxy->mend();
  start();
  expect_each_once();
  proxy->release();
  expect_each_once();
}

TEST_P(LoaderAndLies, sends_again_what_has_a_token_and_shuts_itself_out_where_it_has_none) {
  proxy->lie([lies = std::vector{Lie::gateway_after_landing, Lie::broken_after_landing, Lie::broken_before}]() mutable {
    if (lies.empty()) return Lie::none;
    const Lie lie = lies.back();
    lies.pop_back();
    return lie;
  });
  start();
  add_many(1, 300);
  expect_each_once();
  EXPECT_EQ(ask("SELECT count() > 0 FROM marquee.loaders_replaced"), options.replicated ? "0" : "1");
  EXPECT_GT(loader->status().recoveries, 0U);
}

TEST_P(LoaderAndLies, repairs_what_another_was_repairing_when_it_died) {
  ASSERT_NO_FATAL_FAILURE(die_behind(Lie::broken_after_landing));
  // As left by one that had completed the events and not yet counted the rollups: only its name in the plan tells.
  const auto plan = log->progress(0)->plan;
  ASSERT_TRUE(plan);
  ASSERT_TRUE(log->plan({{0, *plan}}, 3));
  ASSERT_TRUE(direct->execute("ALTER TABLE marquee.campaign_hour DROP PARTITION ID '20260101'"));
  proxy->mend();
  start();
  expect_each_once();
}

TEST_P(LoaderAndForgottenTokens, are_not_relied_on_in_a_plan_that_is_old) {
  received_ago_ms = 3'600'000;
  ASSERT_NO_FATAL_FAILURE(die_behind(Lie::broken_after_landing));
  proxy->mend();
  start();
  expect_each_once();
}

INSTANTIATE_TEST_SUITE_P(On, LoaderAndForgottenTokens, ::testing::Values(true));
INSTANTIATE_TEST_SUITE_P(On, LoaderAndLies, ::testing::Values(false, true),
                         [](const auto& one) { return one.param ? "tables_with_tokens" : "plain_tables"; });

}  // namespace
}  // namespace marquee::ingest
