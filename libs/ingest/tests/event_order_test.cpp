// The events table put into another order, with the real engine.
#include "marquee/ingest/event_order.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "loader_store_fixture.h"

namespace marquee::ingest {
namespace {

using testing::append;
using testing::encoded;
using testing::kDay;
using testing::kNewYear;
using testing::LoaderInTheStore;
using testing::make_event;

class EventOrder : public LoaderInTheStore {
 protected:
  /// Of users, of sessions without user, and of nobody; over three days.
  void land(std::uint32_t first, std::uint32_t count) {
    std::vector<std::string> records;
    for (std::uint32_t i = first; i < first + count; ++i) {
      const auto id = fmt::format("event-{}", i);
      auto event = make_event(i % 50 * 0x0505'0505'0505'0505ULL, i, kNewYear + i * (3 * kDay / 5'000));
      if (i % 3 != 0) event.user_key = 0;
      if (i % 3 == 2) {
        event.session_id = 0;
        event.external_id = id;
      }
      records.push_back(encoded(event));
    }
    append(*log, 0, records);
  }
  std::string order() {
    return ask("SELECT sorting_key FROM system.tables WHERE database = 'marquee' AND name = 'events'");
  }
  std::string rows() {
    return ask(
        "SELECT count(), groupBitXor(cityHash64(tuple(*))) FROM (SELECT * EXCEPT props, toString(props) FROM "
        "marquee.events)");
  }
};

TEST_F(EventOrder, stands_by_person_afterwards_with_the_same_rows_and_rollups_and_new_ones_land_in_it) {
  land(0, 5'000);
  start();
  ASSERT_TRUE(testing::eventually([this] { return is_all_confirmed(); }, std::chrono::seconds(60)));
  EXPECT_EQ(order(), "site_id, user_key, event_time");
  const auto before = rows();
  auto ordered = order_events(*client);
  ASSERT_TRUE(ordered) << ordered.error().message;
  EXPECT_TRUE(*ordered);
  EXPECT_EQ(order(), kEventOrder);
  EXPECT_EQ(rows(), before);
  EXPECT_EQ(ask("SELECT count() FROM system.databases WHERE startsWith(name, 'marquee_rebuild_')"), "0");
  land(5'000, 1'000);
  ASSERT_TRUE(testing::eventually([this] { return is_all_confirmed(); }, std::chrono::seconds(60)));
  EXPECT_EQ(ask("SELECT count(), uniqExact(log_offset) FROM marquee.events"), "6000 6000");
  EXPECT_EQ(loader->status().recoveries, 0U);
  const auto differences = rollup_differences(*client);
  ASSERT_TRUE(differences) << differences.error().message;
  EXPECT_TRUE(differences->empty());
  ordered = order_events(*client);
  ASSERT_TRUE(ordered) << ordered.error().message;
  EXPECT_FALSE(*ordered);
  // What a share of the people is asked with reads a few granules of each day, as each person stands in one place.
  ASSERT_TRUE(client->execute("OPTIMIZE TABLE marquee.events FINAL"));
  ASSERT_TRUE(
      client->execute("CREATE TABLE marquee.fine AS marquee.events ENGINE = MergeTree ORDER BY (site_id, user_key, "
                      "if(user_key = 0, session_id, 0), event_time) SETTINGS index_granularity = 64"));
  ASSERT_TRUE(client->execute("INSERT INTO marquee.fine SELECT * FROM marquee.events"));
  const auto read = client->table(
      "EXPLAIN ESTIMATE SELECT count() FROM marquee.fine WHERE site_id = 'campus' AND user_key = 0 AND "
      "if(user_key = 0, session_id, 0) != 0 AND if(user_key = 0, session_id, 0) <= 1000000000000000000");
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_FALSE(read->rows.empty());
  EXPECT_LT(std::stoull(read->rows[0][3]), 700U);  // Of 2,000 such, a tenth are of the share.
}

TEST_F(EventOrder, waits_for_who_has_the_lock_and_leaves_the_table_as_it_was) {
  land(0, 100);
  start();
  ASSERT_TRUE(testing::eventually([this] { return is_all_confirmed(); }, std::chrono::seconds(60)));
  auto lock = RebuildLock::take(*client);
  ASSERT_TRUE(lock) << lock.error().message;
  const auto refused = order_events(*client);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().action, Action::retry);
  EXPECT_EQ(order(), "site_id, user_key, event_time");
}

TEST_F(EventOrder, is_begun_anew_where_the_store_is_killed_meanwhile) {
  land(0, 20'000);
  start();
  ASSERT_TRUE(testing::eventually([this] { return is_all_confirmed(); }, std::chrono::seconds(60)));
  loader.reset();
  const auto before = rows();
  for (int kill = 0; kill < 4; ++kill) {
    std::jthread killer([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(15 + 40 * kill));
      store->kill_now();
    });
    const auto cut = order_events(*client);
    killer.join();
    store->start();
    // Either it was done, or nothing of it is left.
    EXPECT_EQ(rows(), before) << "kill " << kill;
  }
  const auto done = testing::eventually(
      [&] {
        const auto ordered = order_events(*client);
        return ordered && order() == kEventOrder;
      },
      std::chrono::seconds(60));
  EXPECT_TRUE(done);
  EXPECT_EQ(rows(), before);
}

}  // namespace
}  // namespace marquee::ingest
