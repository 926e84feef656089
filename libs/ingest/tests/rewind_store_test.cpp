// History read again, with the real engine and loaders that go on.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "dead_letter_store.h"
#include "loader_store_fixture.h"
#include "marquee/ingest/rewind.h"
#include "rewind_lock.h"
#include "table_swap.h"

namespace marquee::ingest {
namespace {

using testing::append;
using testing::encoded;
using testing::eventually;
using testing::kDay;
using testing::kNewYear;
using testing::make_event;

class RewindInTheStore : public testing::LoaderInTheStore {
 protected:
  RewindSummary rewind_from(const std::string& from) { return done(rewind(rewind_options(from), *log, *client)); }
  RewindSummary in_place_from(const std::string& from) {
    return done(rewind_in_place(rewind_options(from), *log, *client));
  }
  [[nodiscard]] RewindOptions rewind_options(const std::string& from) const {
    RewindOptions wanted;
    const auto parsed = parse_rewind_from(from, SystemClock().now());
    EXPECT_TRUE(parsed) << parsed.error().message;
    wanted.from = *parsed;
    wanted.max_batch_rows = options.max_batch_rows;
    wanted.identity_window = options.identity_window;
    return wanted;
  }
  static RewindSummary done(const Result<RewindSummary>& result) {
    EXPECT_TRUE(result) << result.error().message;
    return result ? *result : RewindSummary{};
  }
  void run(const std::string& sql) {
    const auto ran = client->execute(sql);
    ASSERT_TRUE(ran) << ran.error().message;
  }
  /// Names of all active parts, which change with whatever is written or merged.
  [[nodiscard]] std::string parts() {
    return ask(
        "SELECT arraySort(groupArray((table, name))) FROM system.parts WHERE database = 'marquee' AND active AND table "
        "NOT "
        "IN ('loaders', 'loaders_replaced', 'loaders_out_of_date', 'rewinds', 'rebuilds', 'pipeline')");
  }
  void stop_merges() {
    for (const char* table :
         {"events", "campaign_minute", "campaign_hour", "delivery_sums", "heatmap_cells", "user_days", "user_features"})
      run(fmt::format("SYSTEM STOP MERGES marquee.{}", table));
  }
  void expect_nothing_is_left() {
    EXPECT_EQ(ask("SELECT count() FROM system.databases WHERE startsWith(name, 'marquee_re')"), "0");
  }
};

TEST_F(RewindInTheStore, makes_events_and_rollups_anew_where_rows_were_lost_doubled_and_changed) {
  for (std::uint64_t session = 1; session <= 12; ++session) add_many(session, 1, 500, 7 * kDay / 501);
  start();
  expect_landed_exactly(6'000);
  const auto lost = std::stoull(ask("SELECT count() FROM marquee.events WHERE _partition_id = '20260103'"));
  run("ALTER TABLE marquee.events DROP PARTITION ID '20260103'");
  run("INSERT INTO marquee.events SELECT * FROM marquee.events WHERE _partition_id = '20260101' LIMIT 10");
  run("ALTER TABLE marquee.user_days DROP PARTITION ID '20260105'");
  run("INSERT INTO marquee.campaign_hour (site_id, time, clicks) VALUES ('campus', '2026-01-02 00:00:00', 1)");

  const auto summary = rewind_from("start");
  EXPECT_EQ(summary.records, 6'000U);
  EXPECT_EQ(summary.events, 6'000U);
  EXPECT_EQ(summary.missing, lost);
  EXPECT_EQ(summary.surplus, 10U);
  EXPECT_EQ(summary.strangers, 0U);
  EXPECT_EQ(summary.days, 7U);
  expect_landed_exactly(6'000);
  expect_nothing_is_left();
  add_many(99, 1, 100, 60'000);  // Into the new tables, through the same views.
  expect_landed_exactly(6'100);
  // And again, from tables that a rewind made.
  run("ALTER TABLE marquee.events DROP PARTITION ID '20260104'");
  rewind_from("start");
  expect_landed_exactly(6'100);
  EXPECT_EQ(ask("SELECT comment FROM system.tables WHERE database = 'marquee' AND name = 'events'"), "rewind 2");
}

TEST_F(RewindInTheStore, keeps_what_is_older_row_by_row_in_days_that_hold_both) {
  for (std::uint64_t session = 1; session <= 3; ++session) add_many(session, 1, 400, 4 * kDay / 401);  // Days 1 to 4.
  start();
  expect_landed_exactly(1'200);
  // Deleted on purpose: what is older than --from is kept as it is, not read again.
  run("ALTER TABLE marquee.events DELETE WHERE log_offset < 10 SETTINGS mutations_sync = 2");
  run("ALTER TABLE marquee.user_days DROP PARTITION ID '20260101'");
  std::vector<std::string> later;
  for (std::uint32_t i = 1; i <= 300; ++i)
    later.push_back(encoded(make_event(7, i, kNewYear + 2 * kDay + i * kDay / 100)));
  append(*log, 1, later);  // Days 3 to 6, of which 3 and 4 hold both.
  ASSERT_TRUE(eventually([this] { return is_all_confirmed(); }));
  run("ALTER TABLE marquee.events DELETE WHERE session_id = 7 AND seq % 3 = 0 SETTINGS mutations_sync = 2");
  run("ALTER TABLE marquee.campaign_hour DROP PARTITION ID '20260104'");

  const auto summary = rewind_from("1:400");
  EXPECT_EQ(summary.records, 300U);
  EXPECT_EQ(summary.missing, 100U);
  EXPECT_EQ(summary.days, 4U);
  EXPECT_EQ(ask("SELECT count() FROM marquee.events WHERE session_id = 7"), "300");
  EXPECT_EQ(ask("SELECT count(), min(log_offset) FROM marquee.events WHERE session_id != 7"), "1170 10");
  // Rollups of the days that were made are right again; the other days' are as they were.
  const auto differences = rollup_differences(*client);
  ASSERT_TRUE(differences) << differences.error().message;
  ASSERT_FALSE(differences->empty());
  for (const std::string& difference : *differences)
    EXPECT_NE(difference.find(" of 20260101"), std::string::npos) << difference;
}

TEST_F(RewindInTheStore, knows_a_repeat_whose_first_occurrence_is_older) {
  add_many(1, 1, 100, 60'000);
  add_many(1, 51, 100, 60'000);
  append(*log, 1, {"\xFF not an event"});
  start();
  ASSERT_TRUE(eventually([this] { return is_all_confirmed(); }));
  const std::string letters = "SELECT log_offset, received_time FROM marquee.dead_letters";
  const std::string before = ask(letters);
  const auto summary = rewind_from("1:100");
  EXPECT_EQ(summary.repeats, 50U);
  EXPECT_EQ(summary.events, 50U);
  EXPECT_EQ(summary.dead_letters, 1U);
  EXPECT_EQ(summary.missing, 0U);
  EXPECT_EQ(summary.surplus, 0U);
  expect_landed_exactly(150);
  EXPECT_EQ(ask(letters), before);
}

TEST_F(RewindInTheStore, leaves_a_dead_letter_one_that_could_be_loaded_by_now) {
  add_many(1, 1, 100, 60'000);
  start();
  expect_landed_exactly(100);
  const std::string record = encoded(make_event(1, 5, kNewYear + 5 * 60'000));
  DeadLetterStore letters(*client);
  ASSERT_TRUE(letters.insert({{.topic = "", .partition = 1, .offset = 4, .reason = "refused", .bytes = record}}));
  // Of a record that another log had there.
  ASSERT_TRUE(letters.insert({{.topic = "", .partition = 1, .offset = 6, .reason = "refused", .bytes = "another"}}));
  run("ALTER TABLE marquee.events DELETE WHERE seq < 10 SETTINGS mutations_sync = 2");
  EXPECT_EQ(in_place_from("start").dead_letters, 1U);
  expect_landed_exactly(99);
  run("ALTER TABLE marquee.events DELETE WHERE seq < 10 SETTINGS mutations_sync = 2");
  EXPECT_EQ(rewind_from("start").dead_letters, 1U);
  expect_landed_exactly(99);
  EXPECT_EQ(ask("SELECT countIf(seq = 5), countIf(seq = 7) FROM marquee.events"), "0 1");
  EXPECT_EQ(ask("SELECT count() FROM marquee.dead_letters"), "2");
}

TEST_F(RewindInTheStore, refuses_tables_of_a_cluster_before_it_reads_anything) {
  run("RENAME TABLE marquee.events TO marquee.events_of_a_shard");
  run("CREATE VIEW marquee.events AS SELECT * FROM marquee.events_of_a_shard");  // As Distributed: keeps no rows.
  for (const auto& result :
       {rewind(rewind_options("start"), *log, *client), rewind_in_place(rewind_options("start"), *log, *client)}) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().action, Action::reject);
    EXPECT_NE(result.error().message.find("store.cluster"), std::string::npos) << result.error().message;
  }
  expect_nothing_is_left();
}

TEST_F(RewindInTheStore, keeps_the_rows_of_another_log_at_the_same_offsets) {
  add_many(1, 1, 200, 60'000);
  start();
  expect_landed_exactly(200);
  // At offsets that are read again, beyond them, and of a partition that this log has not.
  run("INSERT INTO marquee.events (site_id, session_id, seq, event_time, user_key, log_partition, log_offset, slot_id, "
      "event_type) SELECT 'campus', 77, number + 1, '2026-01-01 12:00:00', 3, 1, number * 4, 'hero', 'click' FROM "
      "numbers(100)");
  run("INSERT INTO marquee.events (site_id, session_id, seq, event_time, log_partition, log_offset) "
      "SELECT 'campus', 78, number + 1, '2025-12-30 12:00:00', 9, number FROM numbers(50)");
  ASSERT_TRUE(rebuild_rollups(*client, "", ""));
  run("ALTER TABLE marquee.events DELETE WHERE session_id = 1 AND seq < 50 SETTINGS mutations_sync = 2");
  const auto summary = rewind_from("start");
  EXPECT_EQ(summary.missing, 49U);
  EXPECT_EQ(summary.surplus, 0U);
  EXPECT_EQ(summary.strangers, 50U);
  expect_landed_exactly(350);
  EXPECT_EQ(ask("SELECT countIf(session_id = 77), countIf(session_id = 78) FROM marquee.events"), "100 50");
}

TEST_F(RewindInTheStore, goes_on_while_events_come_and_land) {
  options.max_batch_rows = 500;
  start();
  std::atomic<bool> stop{false};
  std::atomic<std::size_t> sent{0};
  std::thread sender([&] {
    for (std::uint64_t session = 1; !stop; ++session) {
      add_many(session, 1, 40, 3 * kDay / 41);
      sent += 40;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));  // The rate of the load, which the store can follow.
      while (!stop && loader->status().lag_events > 20'000) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  ASSERT_TRUE(eventually([&] { return loader->status().events_landed > 2'000; }));
  for (int round = 0; round < 3; ++round) {
    run("ALTER TABLE marquee.events DELETE WHERE log_offset % 7 = 0 SETTINGS mutations_sync = 2");
    run("ALTER TABLE marquee.heatmap_cells DROP PARTITION ID '20260102'");
    const auto summary = rewind_from("start");
    EXPECT_GT(summary.missing, 0U);
    EXPECT_LT(summary.inserts_held.count(), 20'000);
  }
  stop = true;
  sender.join();
  expect_landed_exactly(sent);
  expect_nothing_is_left();
}

TEST_F(RewindInTheStore, teaches_running_loaders_what_it_brought_back) {
  add_many(1, 1, 100, 60'000);
  start();
  expect_landed_exactly(100);
  loader.reset();
  run("TRUNCATE TABLE marquee.events");
  start();  // Its window is empty: it knows nothing of what was lost.
  add_many(2, 1, 1, 60'000);
  ASSERT_TRUE(eventually([this] { return is_all_confirmed(); }));
  EXPECT_EQ(rewind_from("start").missing, 100U);
  add_many(1, 1, 100, 60'000);  // Repeats.
  expect_landed_exactly(101);
  EXPECT_EQ(loader->status().repeats_dropped, 100U);

  loader.reset();
  run("TRUNCATE TABLE marquee.events");
  start();
  add_many(2, 2, 1, 60'000);
  ASSERT_TRUE(eventually([this] { return is_all_confirmed(); }));
  EXPECT_EQ(in_place_from("start").missing, 101U);
  add_many(1, 1, 100, 60'000);
  expect_landed_exactly(102);
}

TEST_F(RewindInTheStore, completes_in_place_what_was_lost_and_changes_nothing_on_tables_that_are_whole) {
  for (std::uint64_t session = 1; session <= 6; ++session) add_many(session, 1, 500, 5 * kDay / 501);
  start();
  expect_landed_exactly(3'000);
  stop_merges();
  const std::string before = parts();
  auto summary = in_place_from("start");
  EXPECT_EQ(summary.records, 3'000U);
  EXPECT_EQ(summary.missing, 0U);
  EXPECT_EQ(summary.days, 0U);
  EXPECT_EQ(parts(), before);

  const auto lost = std::stoull(ask("SELECT count() FROM marquee.events WHERE _partition_id = '20260102'"));
  run("ALTER TABLE marquee.events DROP PARTITION ID '20260102'");
  run("ALTER TABLE marquee.campaign_minute DROP PARTITION ID '20260104'");
  summary = in_place_from("start");
  EXPECT_EQ(summary.missing, lost);
  EXPECT_EQ(summary.days, 1U);  // The rollups of the second day had not lost anything.
  expect_landed_exactly(3'000);
  expect_nothing_is_left();
  run("INSERT INTO marquee.events SELECT * FROM marquee.events WHERE session_id = 1 AND seq <= 5");
  EXPECT_EQ(in_place_from("start").surplus, 5U);
}

TEST_F(RewindInTheStore, counts_the_days_again_that_one_who_died_in_place_had_noted) {
  add_many(1, 1, 500, kDay / 100);
  start();
  expect_landed_exactly(500);
  loader.reset();
  run("ALTER TABLE marquee.user_days DROP PARTITION ID '20260102'");
  {
    auto lock = take_rewind_lock(*client);
    ASSERT_TRUE(lock) << lock.error().message;
    ASSERT_TRUE(note_days(*client, **lock, {day_of(kNewYear + kDay)}));
    const auto second = rewind(rewind_options("start"), *log, *client);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().action, Action::retry);
    EXPECT_EQ(second.error().message, "another process reads history again");
    (*lock)->leave(true);
  }
  EXPECT_NE(rollup_differences(*client)->size(), 0U);
  const auto cleared = clear_left(*client);
  ASSERT_TRUE(cleared) << cleared.error().message;
  EXPECT_EQ(rollup_differences(*client)->size(), 0U);
  expect_nothing_is_left();
}

/// The state in which a rewind died: its tables hold an event more than the live ones.
class CutOffSwap : public RewindInTheStore {
 protected:
  void make(const std::string& database) {
    add_many(1, 1, 100, 60'000);
    start();
    expect_landed_exactly(100);
    loader.reset();
    run("CREATE DATABASE marquee_rebuild_41 COMMENT 'elsewhere 1 2'");
    if (database != "marquee_rebuild_41") run(fmt::format("CREATE DATABASE {}", database));
    for (const std::string& table : tables) {
      run(fmt::format("CREATE TABLE {}.{} AS marquee.{} COMMENT 'rewind 3'", database, table, table));
      run(fmt::format("ALTER TABLE {}.{} ATTACH PARTITION ALL FROM marquee.{}", database, table, table));
    }
    run(fmt::format("INSERT INTO {}.events (site_id, event_time) VALUES ('new', '2026-01-01 00:00:00')", database));
  }
  [[nodiscard]] std::string new_tables() {
    return ask(
        "SELECT arraySort(groupArray(name)) FROM system.tables WHERE database = 'marquee' AND comment = 'rewind 3'");
  }
  void expect_swapped_in() {
    EXPECT_EQ(new_tables(), "['campaign_hour','campaign_minute','events','heatmap_cells','user_days','user_features']");
    EXPECT_EQ(ask("SELECT count(), countIf(site_id = 'new') FROM marquee.events"), "101 1");
  }
  const std::vector<std::string> tables = {"campaign_hour", "campaign_minute", "heatmap_cells",
                                           "user_days",     "user_features",   "events"};
};

TEST_F(CutOffSwap, is_finished_by_who_takes_the_lock_next_however_far_it_had_come) {
  make("marquee_rebuild_41");
  for (const std::string table : {"campaign_hour", "events"})
    run(fmt::format("EXCHANGE TABLES marquee.{0} AND marquee_rebuild_41.{0}", table));
  auto lock = RebuildLock::take(*client);
  ASSERT_TRUE(lock) << lock.error().message;
  expect_swapped_in();
  // Whoever began it wakes, and must not exchange them back.
  EXPECT_FALSE(client->execute("EXCHANGE TABLES marquee.events AND marquee_rebuild_41.events"));
  lock->reset();
  expect_swapped_in();
  expect_nothing_is_left();
}

TEST_F(CutOffSwap, is_finished_by_running_loaders_while_their_inserts_wait) {
  make("marquee_rebuild_41");
  start();
  add_many(1, 101, 10, 60'000);
  ASSERT_TRUE(eventually([this] { return is_all_confirmed(); }));
  EXPECT_EQ(ask("SELECT count(), countIf(site_id = 'new') FROM marquee.events"), "111 1");
  expect_nothing_is_left();
}

TEST_F(CutOffSwap, goes_on_from_the_databases_of_several_that_died) {
  make("marquee_rebuild_41");
  run("CREATE DATABASE marquee_rebuild_42 COMMENT 'elsewhere 1 2'");
  for (const std::string table : {"campaign_hour", "events"})
    run(fmt::format("RENAME TABLE marquee_rebuild_41.{0} TO marquee_rebuild_42.{0}", table));
  const auto cleared = clear_left(*client);
  ASSERT_TRUE(cleared) << cleared.error().message;
  expect_swapped_in();
  expect_nothing_is_left();
}

TEST_F(CutOffSwap, leaves_the_live_tables_as_they_were_before_it_is_decided) {
  make("marquee_rewind_5");
  for (const std::string& table : tables) {
    if (table != "events") run(fmt::format("RENAME TABLE marquee_rewind_5.{0} TO marquee_rebuild_41.{0}", table));
  }
  const auto cleared = clear_left(*client);
  ASSERT_TRUE(cleared) << cleared.error().message;
  EXPECT_EQ(new_tables(), "[]");
  EXPECT_EQ(ask("SELECT count() FROM marquee.events"), "100");
  EXPECT_EQ(rollup_differences(*client)->size(), 0U);
  expect_nothing_is_left();
}

}  // namespace
}  // namespace marquee::ingest
