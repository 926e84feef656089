// The loader against a store that lies: whatever an insert's answer was, each event is in the events table once, and
// the rollup equals a recount.
#include "marquee/ingest/loader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <random>

#include "../../log/tests/troubled_log.h"
#include "loader_fake_store.h"
#include "loader_test_events.h"
#include "marquee/log/memory_log.h"

namespace marquee::ingest {
namespace {

using testing::append;
using testing::encoded;
using testing::eventually;
using testing::Fate;
using testing::kDay;
using testing::kNewYear;
using testing::make_event;

class LoaderTest : public ::testing::Test {
 protected:
  LoaderTest() : log(log::open_memory_log(2)) { options.linger_ms = 1; }

  void start() {
    clickhouse::Endpoint endpoint;
    endpoint.url = store.url();
    client = std::make_unique<clickhouse::Client>(endpoint);
    loader = std::make_unique<Loader>(options, *log, *client);
    loader->start();
  }
  void stop() { loader.reset(); }
  void add(log::Partition partition, const event::Event& event) { append(*log, partition, {encoded(event)}); }
  void add_many(log::Partition partition, std::uint64_t session, std::uint32_t count, std::int64_t step_ms = 1'000) {
    std::vector<std::string> records;
    for (std::uint32_t i = 1; i <= count; ++i)
      records.push_back(encoded(make_event(session, i, kNewYear + i * step_ms)));
    append(*log, partition, records);
  }
  [[nodiscard]] bool is_all_confirmed() { return testing::is_all_confirmed(*log); }
  void expect_landed_exactly(std::size_t count) {
    ASSERT_TRUE(eventually([this] { return is_all_confirmed(); })) << loader->status().last_error;
    const auto events = store.events();
    std::set<std::pair<std::uint64_t, std::uint32_t>> distinct;
    for (const auto& row : events) distinct.emplace(row.session_id, row.seq);
    EXPECT_EQ(events.size(), count);
    EXPECT_EQ(distinct.size(), count);
    EXPECT_EQ(store.rollup(), store.recounted_rollup());
  }

  testing::FakeStore store;
  std::unique_ptr<log::EventLog> log;
  LoaderOptions options;
  std::unique_ptr<clickhouse::Client> client;
  std::unique_ptr<Loader> loader;
};

TEST_F(LoaderTest, lands_every_event_once_and_leaves_no_plan_behind) {
  add_many(0, 1, 500);
  start();
  add_many(1, 2, 500);
  expect_landed_exactly(1'000);
  EXPECT_EQ(loader->status().events_landed, 1'000U);
  EXPECT_EQ(loader->status().lag_events, 0U);
  EXPECT_EQ(loader->status().last_error, "");
  EXPECT_EQ(loader->status().recoveries, 0U);
}

TEST_F(LoaderTest, needs_no_recovery_where_a_plan_landed_but_could_not_be_confirmed) {
  auto troubled = std::make_unique<log::testing::TroubledLog>(2);
  auto& confirms = *troubled;
  log = std::move(troubled);
  std::uint64_t wanted_recoveries = 0;
  for (const bool can_tell : {true, false}) {
    confirms.refuse_confirms(true);
    add_many(0, can_tell ? 1 : 2, 50);
    start();
    const std::size_t landed = can_tell ? 50 : 100;
    ASSERT_TRUE(eventually([&] { return store.events().size() == landed && loader->status().events_landed == 50; }));
    if (!can_tell) store.fail_statements("INSERT INTO marquee.landed_plans", 1);
    stop();
    ASSERT_TRUE(log->progress(0)->plan);
    confirms.refuse_confirms(false);
    start();
    expect_landed_exactly(landed);
    EXPECT_EQ(loader->status().recoveries, wanted_recoveries++);
    stop();
  }
}

TEST_F(LoaderTest, drops_repeats_within_a_batch_and_of_earlier_batches) {
  add_many(0, 1, 100);
  add_many(0, 1, 100);
  start();
  ASSERT_TRUE(eventually([this] { return is_all_confirmed(); }));
  add_many(0, 1, 120);
  expect_landed_exactly(120);
  EXPECT_EQ(loader->status().repeats_dropped, 200U);
}

TEST_F(LoaderTest, knows_a_repeat_after_a_restart) {
  add_many(0, 1, 50);
  start();
  expect_landed_exactly(50);
  stop();
  add_many(0, 1, 60);
  start();
  expect_landed_exactly(60);
  EXPECT_EQ(loader->status().repeats_dropped, 50U);
}

TEST_F(LoaderTest, takes_a_repeat_as_new_beyond_its_window_before_and_after_a_restart) {
  options.identity_window = 10;
  add_many(0, 1, 20);
  start();
  expect_landed_exactly(20);
  stop();
  start();
  add(0, make_event(1, 11));
  add(0, make_event(1, 10));
  ASSERT_TRUE(eventually([this] { return is_all_confirmed(); }));
  EXPECT_EQ(store.events().size(), 21U);  // 11 is among the last ten, 10 is not.
}

TEST_F(LoaderTest, keeps_events_that_have_nothing_to_be_known_by) {
  add(0, make_event(1, 0));
  add(0, make_event(1, 0));
  start();
  ASSERT_TRUE(eventually([this] { return is_all_confirmed(); }));
  EXPECT_EQ(store.events().size(), 2U);
}

TEST_F(LoaderTest, lands_a_batch_of_seven_days) {
  add_many(0, 1, 700, 7 * kDay / 700);
  start();
  expect_landed_exactly(700);
  EXPECT_EQ(store.rollup().size(), 8U);  // The last event stands at the beginning of the eighth.
}

class LoaderFate : public LoaderTest, public ::testing::WithParamInterface<Fate> {};

TEST_P(LoaderFate, completes_a_half_landed_batch_without_counting_it_twice) {
  store.set_fates({GetParam(), Fate::lands, GetParam()});
  store.set_repair_fates({Fate::dropped_after, Fate::dropped_before});
  add_many(0, 1, 300, 3 * kDay / 300);
  start();
  add_many(1, 2, 300);
  expect_landed_exactly(600);
  EXPECT_EQ(loader->status().last_error, "");
}

INSTANTIATE_TEST_SUITE_P(OfEveryKind, LoaderFate,
                         ::testing::Values(Fate::lands, Fate::refused_busy, Fate::refused_after_memory,
                                           Fate::dropped_before, Fate::dropped_after, Fate::lands_part,
                                           Fate::lands_rollup_only, Fate::late, Fate::answered_by_another,
                                           Fate::error_after_landing));

TEST_F(LoaderTest, shuts_out_its_own_insert_that_arrives_after_it_was_taken_for_lost) {
  store.set_fates({Fate::late, Fate::late});
  add_many(0, 1, 100);
  start();
  expect_landed_exactly(100);
  EXPECT_EQ(store.release_late(), 0U);
  expect_landed_exactly(100);
  add_many(1, 2, 100);
  expect_landed_exactly(200);
  EXPECT_EQ(store.release_late(), 0U);
  expect_landed_exactly(200);
}

TEST_F(LoaderTest, shuts_out_its_own_repair_that_arrives_after_it_was_taken_for_lost) {
  store.set_fates({Fate::dropped_before});
  store.set_repair_fates({Fate::late, Fate::late});
  add_many(0, 1, 100);
  start();
  expect_landed_exactly(100);
  EXPECT_EQ(store.release_late(), 0U);
  expect_landed_exactly(100);
}

TEST_F(LoaderTest, shuts_out_its_own_repair_of_what_it_took_over_too) {
  store.set_repair_fates({Fate::late, Fate::late});
  add_many(0, 1, 100);
  ASSERT_TRUE(log->plan({{0, {0, 60}}}, 4711));
  start();
  expect_landed_exactly(100);
  EXPECT_EQ(store.release_late(), 0U);
  expect_landed_exactly(100);
}

TEST_F(LoaderTest, completes_the_batch_that_a_crash_left_in_flight) {
  start();
  add_many(0, 1, 1);
  expect_landed_exactly(1);  // It is past what it asks the store before its first batch.
  const auto inserts = store.inserts();
  // As left by a loader that died: planned, and half of it landed.
  store.set_fates({Fate::lands_part});
  store.fail_statements("SELECT query_id", 1'000'000);  // It never gets to recovery.
  add_many(0, 2, 100);
  ASSERT_TRUE(eventually([&] { return store.inserts() == inserts + 1; }));
  stop();
  ASSERT_TRUE(log->progress(0)->plan);
  ASSERT_EQ(store.events().size(), 51U);
  store.fail_statements("SELECT query_id", 0);
  start();
  expect_landed_exactly(101);
  EXPECT_EQ(loader->status().recoveries, 1U);
}

TEST_F(LoaderTest, does_not_take_rows_of_an_older_log_for_its_own) {
  for (std::uint64_t offset = 0; offset < 100; ++offset) {
    testing::StoredRow row;
    row.offset = offset;
    row.site_id = "campus";
    row.session_id = 9;
    row.seq = static_cast<std::uint32_t>(offset + 1);
    row.day = "20251231";
    store.add_event(row);
  }
  store.set_fates({Fate::dropped_before});
  add_many(0, 1, 100);
  start();
  expect_landed_exactly(200);
}

TEST_F(LoaderTest, sends_what_cannot_be_decoded_to_dead_letters_and_goes_on) {
  append(*log, 0, {encoded(make_event(1, 1)), "\xFF not an event", encoded(make_event(1, 2)), ""});
  start();
  expect_landed_exactly(2);
  EXPECT_EQ(store.dead_letters(), (std::set<std::pair<std::uint32_t, std::uint64_t>>{{0, 1}, {0, 3}}));
  EXPECT_EQ(loader->status().dead_letters, 2U);
}

TEST_F(LoaderTest, finds_the_one_row_that_the_store_refuses_and_lands_its_neighbours) {
  std::vector<std::string> records;
  for (std::uint32_t i = 1; i <= 64; ++i) {
    auto event = make_event(1, i);
    if (i == 23) event.search_query = "poison";
    records.push_back(encoded(event));
  }
  append(*log, 0, records);
  start();
  expect_landed_exactly(63);
  EXPECT_EQ(store.dead_letters(), (std::set<std::pair<std::uint32_t, std::uint64_t>>{{0, 22}}));
}

TEST_F(LoaderTest, counts_the_kept_log_again_after_the_machine_went_down) {
  const auto directory = std::filesystem::temp_directory_path() / fmt::format("loader-test-{}", ::getpid());
  std::filesystem::create_directories(directory);
  options.directory = directory.string();
  add_many(0, 1, 200);
  add_many(1, 2, 200);
  start();
  expect_landed_exactly(400);
  stop();
  start();  // The same boot: the lost rows are not looked for.
  ASSERT_TRUE(eventually([this] { return is_all_confirmed(); }));
  stop();
  store.lose_events(70);
  std::ofstream(directory / "loader-boot-id") << "another boot";
  start();
  ASSERT_TRUE(
      eventually([this] { return store.events().size() == 400 && store.rollup() == store.recounted_rollup(); }));
  expect_landed_exactly(400);
  ASSERT_TRUE(eventually([&] {
    std::ifstream file(directory / "loader-boot-id");
    std::string id;
    return std::getline(file, id) && id != "another boot";
  }));
  stop();
  std::filesystem::remove_all(directory);
}

TEST_F(LoaderTest, goes_on_under_another_name_when_it_was_taken_for_dead) {
  start();
  add_many(0, 1, 100);
  expect_landed_exactly(100);
  store.replace_everybody();
  add_many(0, 2, 100);
  add_many(1, 3, 100);
  expect_landed_exactly(300);
  EXPECT_EQ(loader->status().recoveries, 0U);  // The store said that nothing had landed.
}

TEST_F(LoaderTest, shuts_out_who_planned_what_it_completes) {
  add_many(0, 1, 100);
  ASSERT_TRUE(log->plan({{0, {0, 60}}}, 4711));
  start();
  expect_landed_exactly(100);
  EXPECT_TRUE(store.is_replaced(4711));
  EXPECT_EQ(loader->status().recoveries, 1U);
}

TEST_F(LoaderTest, waits_for_a_store_that_is_away_and_says_so) {
  store.fail_statements("SELECT log_offset", 3);
  store.fail_statements("INSERT INTO marquee.events_entry", 2);
  add_many(0, 1, 10);
  start();
  expect_landed_exactly(10);
}

TEST_F(LoaderTest, lands_each_event_once_whatever_the_store_does) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  options.max_batch_rows = 64;
  options.identity_window = 500;
  std::vector<Fate> fates(45);
  for (auto& fate : fates) {
    fate = static_cast<Fate>(random() % (static_cast<unsigned>(Fate::error_after_landing) + 1));
    if (fate == Fate::content_refused) fate = Fate::late;
  }
  std::vector<Fate> repairs(20);
  for (auto& fate : repairs) fate = std::array{Fate::dropped_after, Fate::dropped_before, Fate::late}.at(random() % 3);
  store.set_fates(fates);
  store.set_repair_fates(repairs);
  for (const char* prefix :
       {"SELECT query_id", "INSERT INTO marquee_rebuild", "ALTER TABLE", "DROP TABLE", "SELECT name", "CREATE DATABASE",
        "DROP DATABASE", "INSERT INTO marquee.loaders_replaced"}) {
    store.fail_statements(prefix, static_cast<unsigned>(random()) % 5);
  }
  std::set<std::pair<std::uint64_t, std::uint32_t>> sent;
  start();
  for (int round = 0; round < 30; ++round) {
    std::vector<std::string> records;
    const std::uint64_t session = random() % 4 + 1;  // Few, so that events repeat, within the window and beyond.
    const auto first = static_cast<std::uint32_t>(random() % 100 + 1);
    for (std::uint32_t i = 0; i < random() % 100; ++i) {
      records.push_back(encoded(make_event(session, first + i, kNewYear + (first + i) * (kDay / 60))));
      sent.emplace(session, first + i);
    }
    if (!records.empty()) append(*log, static_cast<log::Partition>(session % 2), records);
    if (random() % 8 == 0) {
      stop();
      start();
    }
  }
  expect_landed_exactly(sent.size());
  EXPECT_EQ(store.release_late(), 0U);
  expect_landed_exactly(sent.size());
}

}  // namespace
}  // namespace marquee::ingest
