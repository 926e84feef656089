// The loader with the real engine: what landed, what the rollups say, and what is left after kill -9 of the store.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <random>
#include <thread>

#include "loader_store.h"
#include "loader_store_fixture.h"
#include "rebuilds.h"

namespace marquee::ingest {
namespace {

using clickhouse::testing::StoreProcess;
using testing::append;
using testing::encoded;
using testing::eventually;
using testing::expect_in_the_store;
using testing::kDay;
using testing::kNewYear;
using testing::LoaderInTheStore;
using testing::make_event;

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

TEST_F(LoaderInTheStore, counts_rollups_anew_whose_definition_has_changed) {
  add_many(1, 1, 2'000, 60'000);
  start();
  expect_landed_exactly(2'000);
  const auto lose = [&](const std::string& table) {
    ASSERT_TRUE(client->execute(fmt::format("ALTER TABLE marquee.{} DROP PARTITION ID '20260101'", table)));
  };
  lose("delivery_sums");  // As if it had come with a migration after those events had.
  const auto first = count_changed_rollups(*client);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(*first, 6U);
  expect_landed_exactly(2'000);
  const auto again = count_changed_rollups(*client);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, 0U);
  // Only the one that changed: what is wrong with another stays.
  lose("delivery_sums");
  lose("campaign_hour");
  ASSERT_TRUE(
      client->execute("INSERT INTO marquee.rollup_definitions (rollup, definition, time) "
                      "VALUES ('delivery_sums', 'SELECT 1', now64(3) + 1)"));
  const auto changed = count_changed_rollups(*client);
  ASSERT_TRUE(changed) << changed.error().message;
  EXPECT_EQ(*changed, 1U);
  const auto differences = rollup_differences(*client);
  ASSERT_TRUE(differences) << differences.error().message;
  ASSERT_EQ(differences->size(), 1U);
  EXPECT_TRUE(differences->front().starts_with("campaign_hour of 20260101")) << differences->front();
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
  EXPECT_EQ(*rebuilt, 12U);
  expect_landed_exactly(2'000);
  EXPECT_FALSE(rebuild_rollups(*client, "yesterday", ""));
}

TEST_F(LoaderInTheStore, gives_the_rebuild_lock_to_one_at_a_time_and_refuses_inserts_meanwhile) {
  add_many(1, 1, 10, 60'000);
  start();
  expect_landed_exactly(10);
  auto lock = RebuildLock::take(*client);
  ASSERT_TRUE(lock) << lock.error().message;
  const auto second = RebuildLock::take(*client);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().action, Action::retry);
  add_many(1, 11, 10, 60'000);
  EXPECT_FALSE(eventually([this] { return is_all_confirmed(); }, std::chrono::seconds(1)));
  EXPECT_EQ(ask("SELECT count() FROM marquee.events"), "10");
  lock->reset();
  expect_landed_exactly(20);
  EXPECT_EQ(loader->status().recoveries, 0U);  // A refused insert is known not to have landed.
  EXPECT_EQ(ask("SELECT count() FROM system.databases WHERE startsWith(name, 'marquee_rebuild_')"), "0");
}

TEST_F(LoaderInTheStore, rebuilds_rollups_once_for_all_that_wait) {
  constexpr int kWaiting = 12;
  add_many(1, 1, 500, 60'000);
  start();
  expect_landed_exactly(500);
  ASSERT_TRUE(client->execute("ALTER TABLE marquee.user_days DROP PARTITION ID '20260102'"));
  Rebuilds rebuilds(*client);
  auto other = RebuildLock::take(*client);
  ASSERT_TRUE(other) << other.error().message;
  std::atomic<int> asking = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < kWaiting; ++i) {
    threads.emplace_back([&] {
      ++asking;
      const auto done = rebuilds.run({day_of(kNewYear), day_of(kNewYear + kDay)}, [] { return true; });
      EXPECT_TRUE(done) << done.error().message;
    });
  }
  ASSERT_TRUE(eventually([&] { return asking == kWaiting; }));
  other->reset();
  threads.clear();
  // Each has a number of its own: the other's, one for all of ours, and one or two for who came a little late.
  EXPECT_LE(std::stoi(ask("SELECT max(number) FROM marquee.rebuilds")), 4);
  expect_landed_exactly(500);  // and no rollup differs
}

TEST_F(LoaderInTheStore, rebuilds_nothing_again_that_another_process_rebuilds_while_it_waits) {
  add_many(1, 1, 500, 60'000);
  start();
  expect_landed_exactly(500);
  ASSERT_TRUE(client->execute("ALTER TABLE marquee.user_days DROP PARTITION ID '20260102'"));
  auto other = RebuildLock::take(*client);
  ASSERT_TRUE(other) << other.error().message;
  std::array<Rebuilds, 4> processes{Rebuilds(*client), Rebuilds(*client), Rebuilds(*client), Rebuilds(*client)};
  std::atomic<int> asking = 0;
  std::vector<std::jthread> threads;
  for (Rebuilds& rebuilds : processes) {
    threads.emplace_back([&] {
      const auto done = rebuilds.run({day_of(kNewYear), day_of(kNewYear + kDay)}, [&] { return ++asking > 0; });
      EXPECT_TRUE(done) << done.error().message;
    });
  }
  ASSERT_TRUE(eventually([&] { return asking > 12; }));
  other->reset();
  threads.clear();
  EXPECT_EQ(ask("SELECT count() FROM marquee.rebuilds WHERE notEmpty(days)"), "1");
  expect_landed_exactly(500);
  // Nor is it enough where it rebuilt other days, or before.
  const std::uint64_t by = std::stoull(ask("SELECT number FROM marquee.rebuilds WHERE notEmpty(days)"));
  EXPECT_LE(by, RebuildLock::last_number(*client).value_or(0));
  EXPECT_EQ(RebuildLock::was_rebuilt(*client, {"20260101", "20260102"}, by - 1).value_or(false), true);
  EXPECT_EQ(RebuildLock::was_rebuilt(*client, {"20260101", "20260103"}, by - 1).value_or(true), false);
  EXPECT_EQ(RebuildLock::was_rebuilt(*client, {"20260101"}, by).value_or(true), false);
  // Who stops does not wait.
  other = RebuildLock::take(*client);
  ASSERT_TRUE(other);
  EXPECT_FALSE(processes[0].run({day_of(kNewYear)}, [] { return false; }));
}

TEST_F(LoaderInTheStore, takes_the_rebuild_lock_from_a_holder_that_gives_no_sign_and_stops_what_it_still_does) {
  add_many(1, 1, 10, 60'000);
  start();
  expect_landed_exactly(10);
  // As left by a process on another machine, which sleeps in the middle of a rebuild.
  ASSERT_TRUE(client->execute("CREATE DATABASE marquee_rebuild_41 COMMENT 'elsewhere 1 2'"));
  ASSERT_TRUE(client->execute("CREATE TABLE marquee_rebuild_41.campaign_hour AS marquee.campaign_hour"));
  ASSERT_TRUE(client->execute("INSERT INTO marquee.rebuilds (number, time) VALUES (41, now64(3) - 14)"));
  EXPECT_FALSE(RebuildLock::take(*client));
  ASSERT_TRUE(client->execute("TRUNCATE TABLE marquee.rebuilds"));
  ASSERT_TRUE(client->execute("INSERT INTO marquee.rebuilds (number, time) VALUES (41, now64(3) - 16)"));
  auto lock = RebuildLock::take(*client);
  ASSERT_TRUE(lock) << lock.error().message;
  EXPECT_EQ((*lock)->database(), "marquee_rebuild_42");
  // It wakes.
  EXPECT_FALSE(client->execute(
      "ALTER TABLE marquee.campaign_hour REPLACE PARTITION ID '20260101' FROM marquee_rebuild_41.campaign_hour"));
  EXPECT_FALSE(client->execute("CREATE TABLE marquee_rebuild_41.user_days AS marquee.user_days"));
  EXPECT_FALSE(client->execute(
      "ALTER TABLE marquee.campaign_hour MOVE PARTITION ID '20260101' TO TABLE marquee_rebuild_41.campaign_hour"));
  lock->reset();
  expect_landed_exactly(10);
}

TEST_F(LoaderInTheStore, goes_on_when_whoever_rebuilt_rollups_elsewhere_is_gone) {
  add_many(1, 1, 10, 60'000);
  // As left by one that died on another machine; nobody else is going to rebuild anything.
  ASSERT_TRUE(client->execute("CREATE DATABASE marquee_rebuild_41 COMMENT 'elsewhere 1 2'"));
  ASSERT_TRUE(client->execute("INSERT INTO marquee.rebuilds (number, time) VALUES (41, now64(3) - 12)"));
  start();
  expect_landed_exactly(10);
  EXPECT_EQ(ask("SELECT count() FROM system.databases WHERE startsWith(name, 'marquee_rebuild_')"), "0");
}

TEST_F(LoaderInTheStore, rebuilds_what_another_was_cut_off_in_swapping_in) {
  add_many(1, 1, 100, 3 * kDay / 101);
  start();
  expect_landed_exactly(100);
  loader.reset();
  // As a REPLACE PARTITION leaves it whose store was killed: the new rows beside the old ones.
  ASSERT_TRUE(client->execute("CREATE DATABASE marquee_rebuild_41 COMMENT 'elsewhere 1 2'"));
  ASSERT_TRUE(client->execute(
      "CREATE TABLE marquee_rebuild_41.swaps (nothing UInt8) ENGINE = Memory COMMENT '20260101 20260103'"));
  for (const char* day : {"20260101", "20260103"}) {
    ASSERT_TRUE(client->execute(fmt::format("CREATE TABLE marquee_rebuild_41.t{} AS marquee.campaign_hour", day)));
    ASSERT_TRUE(client->execute(fmt::format(
        "INSERT INTO marquee_rebuild_41.t{0} SELECT * FROM marquee.campaign_hour WHERE _partition_id = '{0}'", day)));
    ASSERT_TRUE(client->execute(
        fmt::format("ALTER TABLE marquee.campaign_hour ATTACH PARTITION ID '{0}' FROM marquee_rebuild_41.t{0}", day)));
  }
  const auto differences = rollup_differences(*client);
  ASSERT_TRUE(differences) << differences.error().message;
  EXPECT_EQ(differences->size(), 2U);
  RebuildLock::drop_given_up(*client);  // Nothing lands meanwhile, so nobody else mends it.
  expect_in_the_store(*client, 100);
  EXPECT_EQ(ask("SELECT count() FROM system.databases WHERE startsWith(name, 'marquee_rebuild_')"), "0");
}

TEST_F(LoaderInTheStore, leaves_every_rollup_right_where_a_rebuild_and_its_store_are_killed) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  for (std::uint64_t session = 1; session <= 20; ++session) add_many(session, 1, 400, 7 * kDay / 401);
  start();
  expect_landed_exactly(8'000);
  loader.reset();
  const std::vector<std::string> days = {"20260101", "20260102", "20260103", "20260104", "20260105"};
  for (int kill = 0; kill < 5; ++kill) {
    Result<std::uint64_t> cut_off = Error::retry("not begun");
    std::jthread rebuild([&] { cut_off = rebuild_days(*client, days); });
    std::this_thread::sleep_for(std::chrono::milliseconds(50 + random() % 300));
    store->kill_now();
    rebuild.join();
    store->start();
    ASSERT_TRUE(eventually([&] { return RebuildLock::take(*client).has_value(); }, std::chrono::seconds(60)));
    expect_in_the_store(*client, 8'000);
  }
}

TEST_F(LoaderInTheStore, keeps_inserts_out_of_every_replica_of_a_shard) {
  StoreProcess other;
  clickhouse::Client of_other({.url = other.url()});
  ASSERT_TRUE(clickhouse::migrate_up(of_other, clickhouse::built_in_migrations()));
  clickhouse::Client shard({.url = store->url(), .other_replicas = {other.url()}});
  const auto insert = [](clickhouse::Client& replica, std::string_view name) {
    return replica.execute(
        fmt::format("INSERT INTO marquee.events_entry (site_id, loader) VALUES ('campus', '{}')", name));
  };
  auto lock = RebuildLock::take(shard);
  ASSERT_TRUE(lock) << lock.error().message;
  EXPECT_FALSE(insert(*client, "a"));
  EXPECT_FALSE(insert(of_other, "a"));
  EXPECT_FALSE(RebuildLock::take(shard));
  lock->reset();
  EXPECT_TRUE(insert(*client, "a"));
  EXPECT_TRUE(insert(of_other, "a"));

  LoaderStore of_loader({&shard});
  ASSERT_TRUE(of_loader.shut_out(0xA, 0));
  EXPECT_FALSE(insert(*client, loader_name(0xA)));
  EXPECT_FALSE(insert(of_other, loader_name(0xA)));

  // Where a replica does not answer nobody may rebuild, and the others are not kept waiting for it.
  other.kill_now();
  EXPECT_FALSE(RebuildLock::take(shard));
  EXPECT_TRUE(insert(*client, "a"));
  EXPECT_FALSE(of_loader.shut_out(0xB, 0));
}

TEST_F(LoaderInTheStore, lands_each_partition_on_its_shard) {
  StoreProcess other;
  clickhouse::Client second({.url = other.url()});
  ASSERT_TRUE(clickhouse::migrate_up(second, clickhouse::built_in_migrations()));
  for (std::uint64_t session = 1; session <= 6; ++session) add_many(session, 1, 100, 60'000);
  loader = std::make_unique<Loader>(options, *log, std::vector<clickhouse::Client*>{client.get(), &second});
  loader->start();
  ASSERT_TRUE(eventually([this] { return is_all_confirmed(); })) << loader->status().last_error;
  EXPECT_EQ(ask("SELECT count(), arraySort(groupUniqArray(log_partition)) FROM marquee.events"), "400 [0,2]");
  const auto rows = second.table("SELECT count(), groupUniqArray(log_partition) FROM marquee.events");
  ASSERT_TRUE(rows);
  EXPECT_EQ(fmt::format("{}", fmt::join(rows->rows.at(0), " ")), "200 [1]");
  for (clickhouse::Client* shard : {client.get(), &second}) {
    const auto differences = rollup_differences(*shard);
    ASSERT_TRUE(differences) << differences.error().message;
    EXPECT_TRUE(differences->empty());
  }
  loader.reset();
}

TEST_F(LoaderInTheStore, refuses_a_whole_insert_of_several_blocks_from_a_loader_that_was_replaced) {
  options.max_batch_rows = 5'000;
  for (std::uint64_t session = 1; session <= 30; ++session) add_many(session, 1, 1'000, 7 * kDay / 1'001);
  start();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(client->execute(
        "INSERT INTO marquee.loaders_replaced (loader) SELECT toString(number) FROM numbers(3)"));  // Others' tokens.
  }
  expect_landed_exactly(30'000);
  EXPECT_EQ(loader->status().recoveries, 0U);
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
