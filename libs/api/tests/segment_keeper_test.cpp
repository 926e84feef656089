// The keeper with the real engine.
#include "segment_keeper.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "../../clickhouse/tests/store_process.h"
#include "marquee/clickhouse/migrations.h"

namespace marquee::api {
namespace {

using clickhouse::testing::StoreProcess;

class SegmentKeeperInTheStore : public testing::Test {
 protected:
  void SetUp() override {
    if (clickhouse::testing::store_binary().empty()) GTEST_SKIP() << clickhouse::testing::why_no_store();
    store_ = std::make_unique<StoreProcess>();
    client_ = std::make_unique<clickhouse::Client>(clickhouse::Endpoint{.url = store_->url()});
    const auto migrated = clickhouse::migrate_up(*client_, clickhouse::built_in_migrations(), nullptr);
    ASSERT_TRUE(migrated) << migrated.error().message;
    path_ = std::filesystem::temp_directory_path() / ("marquee-keeper-" + catalog::make_secret(""));
    catalog_ = std::move(*catalog::Catalog::open(path_.string()));
    ASSERT_TRUE(catalog_->add_site({"campus", "Campus"}, "test"));
  }
  void TearDown() override {
    keeper_.reset();
    catalog_.reset();
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path_.string() + suffix);
  }
  void keep(std::chrono::milliseconds refresh_every, std::chrono::milliseconds outdated_for) {
    keeper_ = std::make_unique<SegmentKeeper>(
        SegmentKeeperOptions{
            .refresh_every = refresh_every, .is_store_ready = [] { return true; }, .outdated_for = outdated_for},
        *catalog_, *client_);
  }
  catalog::Segment made(const std::string& definition) {
    auto added = keeper_->add({.site_id = "campus", .title = "T", .definition = definition}, "test");
    EXPECT_TRUE(added) << added.error().message;
    return added ? *added : catalog::Segment{};
  }
  std::string ask(const std::string& sql) {
    const auto table = client_->table(sql);
    EXPECT_TRUE(table) << table.error().message;
    return table && !table->rows.empty() ? table->rows.front().front() : "";
  }
  std::string users_under(std::uint64_t version) {
    return ask(fmt::format("SELECT count() FROM marquee.segment_users WHERE version = {}", version));
  }
  template <class Condition>
  static bool eventually(Condition condition) {
    for (int i = 0; i < 1000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  std::unique_ptr<StoreProcess> store_;
  std::unique_ptr<clickhouse::Client> client_;
  std::filesystem::path path_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<SegmentKeeper> keeper_;
};

constexpr auto kNever = std::chrono::hours(24);
constexpr const char* kList = R"({"kind":"list","users":["00000000000000ff","0000000000000001"]})";

TEST_F(SegmentKeeperInTheStore, removes_what_a_dead_refresh_left_and_keeps_what_holds) {
  keep(std::chrono::milliseconds(20), std::chrono::milliseconds(200));
  auto segment = made(kList);
  const auto before = segment.version;
  segment = **keeper_->refresh(segment.id);
  const auto dead = *catalog_->next_segment_version();
  ASSERT_TRUE(client_->execute(fmt::format("INSERT INTO marquee.segment_users VALUES ('campus', 'x', {}, 7)", dead)));
  EXPECT_TRUE(eventually([&] { return users_under(dead) == "0" && users_under(before) == "0"; }));
  EXPECT_EQ(users_under(segment.version), "2");
}

TEST_F(SegmentKeeperInTheStore, leaves_the_version_before_to_reports_that_began_with_it) {
  keep(std::chrono::milliseconds(20), kNever);
  const auto segment = made(kList);
  ASSERT_TRUE(keeper_->refresh(segment.id));
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // Some looks.
  EXPECT_EQ(users_under(segment.version), "2");
}

TEST_F(SegmentKeeperInTheStore, finds_users_again_when_something_has_landed_and_not_before) {
  const auto land = [&](int user) {
    ASSERT_TRUE(client_->execute(
        fmt::format("INSERT INTO marquee.events (site_id, event_time, event_type, user_key) SELECT 'campus', "
                    "now64(3), 'click', {}",
                    user)));
  };
  land(1);
  keep(std::chrono::milliseconds(20), kNever);
  const auto id = made(R"({"kind":"rule","rule":{"types":["click"],"last":"7d"}})").id;
  const auto version = [&] { return (*catalog_->segment(id))->version; };
  const auto first = version();
  ASSERT_TRUE(eventually([&] { return version() > first; })) << "what was known before the keeper began is not";
  const auto second = version();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // Some looks.
  EXPECT_EQ(version(), second);
  land(2);
  EXPECT_TRUE(eventually([&] { return (*catalog_->segment(id))->size == 2; }));
}

TEST_F(SegmentKeeperInTheStore, writes_users_again_that_the_store_has_lost) {
  keep(std::chrono::milliseconds(20), kNever);
  const auto segment = made(kList);
  ASSERT_TRUE(client_->execute("TRUNCATE TABLE marquee.segment_users"));
  EXPECT_TRUE(eventually([&] { return users_under((*catalog_->segment(segment.id))->version) == "2"; }));
  EXPECT_GT((*catalog_->segment(segment.id))->version, segment.version);
}

TEST_F(SegmentKeeperInTheStore, keeps_no_segment_whose_users_cannot_be_found) {
  keep(kNever, kNever);
  const auto refused =
      keeper_->add({.site_id = "campus",
                    .title = "T",
                    .definition = R"({"kind":"rule","rule":{"types":["click"],"filter":["colour=red"]}})"},
                   "test");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().action, Action::reject);
  EXPECT_TRUE(refused.error().message.starts_with("definition: filter: \"colour\"")) << refused.error().message;
  EXPECT_TRUE(catalog_->segments("")->empty());
}

TEST_F(SegmentKeeperInTheStore, ends_a_refresh_that_is_under_way_when_it_is_stopped) {
  ASSERT_TRUE(client_->execute(
      "INSERT INTO marquee.events (site_id, session_id, event_time, event_type, user_key) SELECT 'campus', number, "
      "toDateTime64('2026-01-01', 3, 'UTC'), 'click', cityHash64(number) FROM numbers(1000000)"));
  keep(std::chrono::milliseconds(1), kNever);
  // Slow: many conditions over many users.
  std::string rule;
  for (int i = 0; i < 40; ++i)
    rule += fmt::format(R"({}{{"types":["click"],"filter":["props.a{}=x"],"fewer_than":2}})", i == 0 ? "" : ",", i);
  auto segment = made(kList);
  segment.definition = fmt::format(R"({{"kind":"rule","rule":{{"all":[{}]}}}})", rule);
  segment.version = *catalog_->next_segment_version();
  ASSERT_TRUE(*catalog_->replace_segment(segment, "test"));
  ASSERT_TRUE(eventually([&] {
    // The store's engine names queries itself, and has our name as the comment.
    return ask("SELECT count() FROM system.processes WHERE Settings['log_comment'] LIKE "
               "'%marquee-segment-version-%'") != "0";
  }));
  const auto begin = std::chrono::steady_clock::now();
  keeper_->stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  EXPECT_EQ((*catalog_->segment(segment.id))->version, segment.version) << "of what was ended, nothing is kept";
}

}  // namespace
}  // namespace marquee::api
