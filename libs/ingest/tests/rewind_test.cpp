// Where a rewind begins, and what it finds.
#include "marquee/ingest/rewind.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "history.h"
#include "loader_test_events.h"
#include "marquee/log/local_log.h"
#include "marquee/log/memory_log.h"
#include "recovery.h"

namespace marquee::ingest {
namespace {

const WallTime kNow{Millis(1'767'225'600'000)};  // 2026-01-01T00:00:00Z

TEST(RewindFrom, is_a_time_an_age_offsets_or_the_start) {
  EXPECT_EQ(parse_rewind_from("2025-12-31T22:00:00Z", kNow)->time, kNow - std::chrono::hours(2));
  EXPECT_EQ(parse_rewind_from("2025-12-31", kNow)->time, kNow - std::chrono::hours(24));
  EXPECT_EQ(parse_rewind_from("2h", kNow)->time, kNow - std::chrono::hours(2));
  EXPECT_EQ(parse_rewind_from("4711", kNow)->offset, 4711U);
  EXPECT_EQ(parse_rewind_from("0:4711,3:12", kNow)->offsets,
            (std::map<log::Partition, log::Offset>{{0, 4711}, {3, 12}}));
  const auto start = parse_rewind_from("start", kNow);
  ASSERT_TRUE(start);
  EXPECT_FALSE(start->time || start->offset || !start->offsets.empty());
  for (const char* bad : {"", "yesterday", "1:2:3", "0:1,0:2", "0:1,", ":", "-5", "2x", "99999999999999999999"}) {
    const auto refused = parse_rewind_from(bad, kNow);
    ASSERT_FALSE(refused) << bad;
    EXPECT_NE(refused.error().message.find("2026-11-01T00:00:00Z"), std::string::npos) << bad;
  }
}

TEST(RewindPlan, refuses_what_the_log_does_not_hold) {
  const auto directory = std::filesystem::temp_directory_path() / fmt::format("rewind-test-{}", ::getpid());
  log::LocalLogOptions options;
  options.directory = directory.string();
  options.partitions = 2;
  options.keep_confirmed_ms = 1'000;
  const auto clock = std::make_shared<ManualClock>(kNow);
  options.clock = clock;
  {
    auto log = log::open_local_log(options);
    ASSERT_TRUE(log) << log.error().message;
    testing::append(**log, 0, std::vector<std::string>(100, "record"));
    ASSERT_TRUE((*log)->confirm(0, 100));
    clock->advance(Millis(2'000));
    ASSERT_TRUE(testing::eventually([&] { return (*log)->begin(0) == 100; }));  // Let go.
    testing::append(**log, 0, std::vector<std::string>(50, "record"));
    clickhouse::Client nowhere({.url = "http://127.0.0.1:1", .password = {}});
    const auto refusal = [&](const char* from) {
      const auto plan = plan_rewind(**log, nowhere, *parse_rewind_from(from, kNow));
      EXPECT_FALSE(plan);
      EXPECT_EQ(plan.error().action, Action::reject) << plan.error().message;
      return plan.error().message;
    };
    EXPECT_EQ(refusal("0:50"), "the log no longer holds offset 50 of partition 0: it begins at 100 (--from start)");
    EXPECT_EQ(refusal("0:151"), "partition 0 ends at offset 150: there is no 151");
    EXPECT_EQ(refusal("1:1"), "partition 1 ends at offset 0: there is no 1");
    EXPECT_EQ(refusal("2:0"), "there is no partition 2: the log has 2");
  }
  std::filesystem::remove_all(directory);
}

/// A log of one partition whose first offsets are a transaction's that was given up.
class LogWithGap final : public log::EventLog {
 public:
  explicit LogWithGap(log::Offset gap) : gap_(gap), kept_(log::open_memory_log(1)) {}
  log::Partition partitions() const override { return 1; }
  void append(std::vector<log::Batch> batches, log::Appended done) override {
    kept_->append(std::move(batches), std::move(done));
  }
  void follow(log::Follower& follower) override { kept_->follow(follower); }
  void unfollow() override { kept_->unfollow(); }
  Result<log::Records> read(log::Partition p, log::Offset from, std::size_t most, std::size_t bytes) override {
    return kept_->read(p, std::max(from, gap_), most, bytes);
  }
  bool wait_for(log::Partition p, log::Offset offset, Millis timeout) override {
    return kept_->wait_for(p, offset, timeout);
  }
  log::Offset begin(log::Partition p) const override { return kept_->begin(p); }
  log::Offset end(log::Partition p) const override { return kept_->end(p); }
  Result<log::Offset> offset_at(log::Partition p, WallTime time) override { return kept_->offset_at(p, time); }
  Result<log::Progress> progress(log::Partition p) override { return kept_->progress(p); }
  Result<void> plan(const std::vector<log::Plan>& plans, std::uint64_t planner) override {
    return kept_->plan(plans, planner);
  }
  Result<void> confirm(log::Partition p, log::Offset next) override { return kept_->confirm(p, next); }
  Result<std::vector<log::Standing>> standings() override { return kept_->standings(); }
  void close() override { kept_->close(); }

 private:
  const log::Offset gap_;
  const std::unique_ptr<log::EventLog> kept_;
};

TEST(ReadKnown, takes_no_more_than_the_range_behind_a_gap) {
  LogWithGap log(5);
  testing::append(log, 0, std::vector<std::string>(20, "record"));
  const auto some = read_known(log, 0, 3, 7);
  ASSERT_TRUE(some) << some.error().message;
  EXPECT_EQ(some->first, 5U);
  EXPECT_EQ(some->records.size(), 5U);
  const auto none = read_known(log, 0, 1, 3);
  ASSERT_TRUE(none) << none.error().message;
  EXPECT_EQ(none->first, 5U);
  EXPECT_TRUE(none->records.empty());

  event::IdentityWindow window(10);
  LoadBatch batch(0);
  batch.reset(1);
  ASSERT_TRUE(read_on(log, batch, window, 12, {.max_records = 4, .max_bytes = 1'000'000}));
  EXPECT_EQ(batch.range().end, 5U);
  ASSERT_TRUE(read_on(log, batch, window, 12, {.max_records = 100, .max_bytes = 1'000'000}));
  EXPECT_EQ(batch.range().end, 12U);
  EXPECT_EQ(batch.dead_letters().size(), 7U);
}

TEST(Comparison, tells_the_missing_from_the_surplus_and_from_rows_of_another_log) {
  const std::vector<Row> rows = {{1, 10}, {2, 20}, {4, 40}, {7, 70}};
  const std::vector<Row> repeats = {{3, 10}, {5, 20}};
  const std::vector<Row> landed = {{0, 5}, {1, 10}, {1, 10}, {3, 10}, {4, 41}, {5, 21}, {6, 60}, {7, 71}, {7, 70}};
  const auto found = compare(rows, repeats, landed);
  EXPECT_EQ(found.missing, (std::vector<Row>{{2, 20}, {4, 40}}));
  EXPECT_EQ(found.surplus, 2U);
  EXPECT_EQ(found.strangers, (std::vector<Row>{{0, 5}, {4, 41}, {5, 21}, {6, 60}, {7, 71}}));
  EXPECT_EQ(compare(rows, {}, {}).missing, rows);
  EXPECT_TRUE(compare({}, {}, {}).missing.empty());
}

}  // namespace
}  // namespace marquee::ingest
