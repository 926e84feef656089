#include "marquee/privacy/eraser.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "../../clickhouse/tests/store_process.h"
#include "../../ingest/tests/loader_test_events.h"
#include "marquee/clickhouse/migrations.h"
#include "marquee/event/person.h"
#include "marquee/ingest/loader.h"
#include "marquee/ingest/rollup.h"
#include "marquee/log/erasable.h"
#include "marquee/log/local_log.h"

namespace marquee::privacy {
namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;

constexpr event::HashKey kErasersHashKey = {9, 8, 7, 6, 5, 4, 3, 2, 1};
constexpr std::int64_t kDay = 86'400'000;

std::uint64_t key_of(std::string_view user_id) { return event::hash_user(kErasersHashKey, user_id); }
std::int64_t clock_ms() { return SystemClock().now().time_since_epoch().count(); }

template <class Condition>
bool comes_true(Condition condition, std::chrono::seconds limit = std::chrono::seconds(60)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return true;
}

class EraserTest : public testing::Test {
 protected:
  void SetUp() override {
    if (clickhouse::testing::store_binary().empty()) GTEST_SKIP() << clickhouse::testing::why_no_store();
    std::string pattern = (std::filesystem::temp_directory_path() / "marquee-eraser-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    store_ = std::make_unique<clickhouse::testing::StoreProcess>();
    clickhouse::Endpoint endpoint;
    endpoint.url = store_->url();
    client_ = std::make_unique<clickhouse::Client>(endpoint);
    ASSERT_TRUE(clickhouse::migrate_up(*client_, clickhouse::built_in_migrations()));
    log::LocalLogOptions of_log;
    of_log.directory = directory_ + "/log";
    of_log.min_free_disk_bytes = 0;
    log_ = std::move(*log::open_local_log(of_log));
    catalog_ = std::move(*catalog::Catalog::open(directory_ + "/catalog.sqlite"));
    ingest::LoaderOptions of_loader;
    of_loader.linger_ms = 5;
    loader_ = std::make_unique<ingest::Loader>(of_loader, *log_, *client_);
    loader_->start();
    places_.events = log_.get();
    places_.hash_user = key_of;
    places_.sync_store = [] { return Result<void>(); };
    places_.forget_profile = [this](const Person& person, std::int64_t) -> Result<bool> {
      ++profiles_asked_;
      if (fails_) return Error::retry("the profiles are away");
      return person.user_key == key_of("ana");
    };
  }
  void TearDown() override {
    eraser_.reset();
    loader_.reset();
    log_.reset();
    catalog_.reset();
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }

  /// So many events of each of so many days.
  void live(std::string_view user, std::uint32_t count, int days, std::string_view site = "campus") {
    std::vector<std::string> records;
    const auto now = clock_ms();
    for (int day = 0; day < days; ++day) {
      for (std::uint32_t i = 0; i < count; ++i) {
        auto event = ingest::testing::make_event(key_of(user) % 1'000'000, ++seq_, now - day * kDay);
        event.site_id = site;
        event.user_key = key_of(user);
        event.received_time_ms = now;
        event::encode(event, records.emplace_back());
      }
    }
    ingest::testing::append(*log_, 0, records);
  }
  void landed() {
    ASSERT_TRUE(comes_true([this] { return ingest::testing::is_all_confirmed(*log_); }));
  }
  void begin() {
    eraser_.reset();
    eraser_ = std::make_unique<Eraser>(*catalog_, *client_, places_);
    eraser_->start();
  }
  catalog::Erasure asked(std::string_view user) {
    auto asked = eraser_->ask("campus", user, "test");
    EXPECT_TRUE(asked) << asked.error().message;
    return asked.value_or(catalog::Erasure{});
  }
  catalog::Erasure state(const catalog::Erasure& job) { return **catalog::ErasureBook(*catalog_).find(job.id); }
  bool is_done(const catalog::Erasure& job) {
    return comes_true([&] { return state(job).is_done; });
  }
  std::string ask(const std::string& sql) {
    const auto table = client_->table(sql);
    return table ? fmt::format("{}", fmt::join(table->rows.at(0), " ")) : table.error().message;
  }
  std::string rows_of(std::string_view user) {
    return ask(
        fmt::format("SELECT (SELECT count() FROM marquee.events WHERE user_key = {0}), (SELECT count() FROM "
                    "marquee.user_days WHERE user_key = {0})",
                    key_of(user)));
  }
  void expect_rollups_right() {
    const auto differences = ingest::rollup_differences(*client_);
    ASSERT_TRUE(differences);
    EXPECT_TRUE(differences->empty()) << fmt::format("{}", fmt::join(*differences, "\n"));
  }

  std::string directory_;
  std::unique_ptr<clickhouse::testing::StoreProcess> store_;
  std::unique_ptr<clickhouse::Client> client_;
  std::unique_ptr<log::EventLog> log_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<ingest::Loader> loader_;
  Places places_;
  std::unique_ptr<Eraser> eraser_;
  std::uint32_t seq_ = 0;
  std::atomic<int> profiles_asked_ = 0;
  std::atomic<bool> fails_ = false;
};

TEST_F(EraserTest, takes_one_user_of_one_site_out_and_says_how_much_went) {
  live("ana", 20, 3);
  live("ana", 5, 1, "moodle");
  live("bob", 30, 3);
  landed();
  begin();
  const auto job = asked("ana");
  ASSERT_TRUE(is_done(job)) << state(job).step << ": " << state(job).error;
  const auto receipt = Json::parse(state(job).receipt);
  EXPECT_EQ(receipt.at("events"), 60);
  EXPECT_EQ(receipt.at("log_records"), 60);
  EXPECT_EQ(receipt.at("days_rebuilt"), 3);
  EXPECT_EQ(receipt.at("profiles"), 1);
  EXPECT_EQ(receipt.at("dead_letters"), 0);
  EXPECT_GT(receipt.at("bytes_rewritten"), 0);
  EXPECT_EQ(rows_of("ana"), "5 1");  // On the other site.
  EXPECT_EQ(rows_of("bob"), "90 3");
  EXPECT_EQ(ask("SELECT count() FROM marquee.erasing"), "0");
  EXPECT_EQ(
      ask("SELECT count() FROM system.parts WHERE database = 'marquee' AND table IN ('events', 'user_days') AND NOT "
          "active AND rows > 0"),
      "0");
  EXPECT_EQ(ask("SELECT countIf(position(engine_full, 'old_parts_lifetime') > 0) FROM system.tables"), "0");
  expect_rollups_right();
}

TEST_F(EraserTest, a_user_without_anything_is_done_at_once_and_nothing_is_rewritten) {
  live("bob", 30, 2);
  landed();
  const auto parts =
      ask("SELECT groupArray(name) FROM (SELECT name FROM system.parts WHERE database = 'marquee' AND table = "
          "'events' AND active ORDER BY name)");
  begin();
  const auto job = asked("nobody");
  ASSERT_TRUE(is_done(job)) << state(job).error;
  EXPECT_EQ(Json::parse(state(job).receipt).at("events"), 0);
  EXPECT_EQ(Json::parse(state(job).receipt).value("days_rebuilt", 0), 0);
  EXPECT_EQ(rows_of("bob"), "60 2");
}

TEST_F(EraserTest, says_why_it_waits_and_goes_on_once_it_can) {
  live("ana", 10, 1);
  landed();
  fails_ = true;
  begin();
  const auto job = asked("ana");
  ASSERT_TRUE(comes_true([&] { return state(job).error == "the profiles are away"; }));
  EXPECT_FALSE(state(job).is_done);
  EXPECT_EQ(rows_of("ana"), "10 1");
  fails_ = false;
  ASSERT_TRUE(is_done(job)) << state(job).error;
  EXPECT_EQ(state(job).error, "");
  EXPECT_EQ(rows_of("ana"), "0 0");
}

TEST_F(EraserTest, counts_exactly_however_often_it_is_cut_off) {
  const auto seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 random(seed);
  live("ana", 20, 4);
  live("bob", 20, 4);
  landed();
  begin();
  const auto job = asked("ana");
  for (int cut = 0; cut < 12 && !state(job).is_done; ++cut) {
    std::this_thread::sleep_for(milliseconds(std::uniform_int_distribution(0, 700)(random)));
    begin();  // Ends the one before, in the middle of whatever it does.
  }
  ASSERT_TRUE(is_done(job)) << state(job).error;
  const auto receipt = Json::parse(state(job).receipt);
  EXPECT_EQ(receipt.at("events"), 80);
  EXPECT_EQ(receipt.at("days_rebuilt"), 4);
  EXPECT_EQ(profiles_asked_, 1);
  EXPECT_EQ(rows_of("ana"), "0 0");
  EXPECT_EQ(rows_of("bob"), "80 4");
  expect_rollups_right();
}

TEST_F(EraserTest, the_store_may_die_in_the_middle) {
  live("ana", 20, 3);
  live("bob", 20, 3);
  landed();
  begin();
  const auto job = asked("ana");
  for (const int wait_ms : {1'200, 700, 900}) {
    std::this_thread::sleep_for(milliseconds(wait_ms));
    store_->kill_now();
    store_->start();
    ASSERT_TRUE(store_->is_up());
  }
  ASSERT_TRUE(is_done(job)) << state(job).step << ": " << state(job).error;
  EXPECT_EQ(rows_of("ana"), "0 0");
  EXPECT_EQ(rows_of("bob"), "60 3");
  EXPECT_EQ(Json::parse(state(job).receipt).at("events"), 60);
  expect_rollups_right();
}

TEST_F(EraserTest, keeps_what_comes_after_it_was_asked_for) {
  live("ana", 10, 2);
  landed();
  begin();
  const auto job = asked("ana");
  std::this_thread::sleep_for(milliseconds(2));
  live("ana", 3, 1);
  ASSERT_TRUE(is_done(job)) << state(job).error;
  landed();
  EXPECT_EQ(rows_of("ana"), "3 1");
  expect_rollups_right();
}

TEST_F(EraserTest, refuses_where_it_could_not_keep_its_promise) {
  places_.refusal = "not with Kafka";
  begin();
  const auto asked = eraser_->ask("campus", "ana", "test");
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().message, "not with Kafka");
  EXPECT_TRUE(eraser_->list(10)->empty());
}

}  // namespace
}  // namespace marquee::privacy
