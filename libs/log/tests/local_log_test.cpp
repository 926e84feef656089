#include "marquee/log/local_log.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "appending.h"
#include "blob.h"
#include "marquee/log/memory_log.h"

namespace marquee::log {
namespace {

namespace fs = std::filesystem;
using testing::append;
using testing::numbered;

std::vector<std::string> texts(const Result<Records>& records) {
  EXPECT_TRUE(records) << (records ? "" : records.error().message);
  if (!records) return {};
  return {records->records.begin(), records->records.end()};
}

class LocalLogTest : public ::testing::Test {
 protected:
  LocalLogTest() {
    std::string pattern = (fs::temp_directory_path() / "marquee-log-XXXXXX").string();
    options.directory = ::mkdtemp(pattern.data());
    options.partitions = 2;
    options.min_free_disk_bytes = 0;
  }
  ~LocalLogTest() override { fs::remove_all(options.directory); }

  std::unique_ptr<EventLog> open() {
    auto log = open_local_log(options);
    EXPECT_TRUE(log) << (log ? "" : log.error().message);
    return log ? std::move(*log) : nullptr;
  }

  /// Files of the log whose name ends so, oldest first.
  std::vector<fs::path> files(std::string_view extension) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(options.directory)) {
      if (entry.path().extension() == extension) found.push_back(entry.path());
    }
    std::ranges::sort(found);
    return found;
  }

  /// Appends records from `from` to `to` in a process that then dies without closing the log (the test Child below).
  void append_and_die(int from, int to) {
    const auto command =
        "MARQUEE_LOG_TEST='" + options.directory + "' MARQUEE_LOG_TEST_FROM=" + std::to_string(from) +
        " MARQUEE_LOG_TEST_TO=" + std::to_string(to) + " '" + fs::read_symlink("/proc/self/exe").string() +
        "' --gtest_also_run_disabled_tests --gtest_filter=Child.DISABLED_appends_and_dies >/dev/null 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0);
  }

  LocalLogOptions options;
};

/// No test: what append_and_die runs.
TEST(Child, DISABLED_appends_and_dies) {
  LocalLogOptions options;
  options.directory = std::getenv("MARQUEE_LOG_TEST");
  options.partitions = 2;
  options.min_free_disk_bytes = 0;
  auto log = open_local_log(options);
  const auto records =
      numbered(std::atoi(std::getenv("MARQUEE_LOG_TEST_FROM")), std::atoi(std::getenv("MARQUEE_LOG_TEST_TO")));
  ::_exit(log && append(**log, 0, records) ? 0 : 1);
}

TEST_F(LocalLogTest, keeps_what_it_acknowledged_before_the_disk_had_it) {
  options.sync_behind_ms = 10'000;
  auto log = open();
  ASSERT_TRUE(append(*log, 0, numbered(0, 3)));
  EXPECT_EQ(texts(log->read(0, 0, 100, 1'000)), numbered(0, 3)) << "it is read at once";
  ASSERT_TRUE(log->confirm(0, 2)) << "what is read is durable when that is said";
  ASSERT_TRUE(append(*log, 0, numbered(3, 5)));
  log.reset();  // Closing does not wait for the ten seconds.
  log = open();
  EXPECT_EQ(texts(log->read(0, 0, 100, 1'000)), numbered(0, 5));
  EXPECT_EQ(log->progress(0)->next, 2U);
}

TEST_F(LocalLogTest, gives_back_what_was_appended_in_order) {
  auto log = open();
  ASSERT_TRUE(append(*log, 0, numbered(0, 100)));
  ASSERT_TRUE(append(*log, 1, {"", std::string("a\0b", 3), std::string(1 << 20, 'x')}));
  ASSERT_TRUE(append(*log, 0, numbered(100, 150)));
  EXPECT_EQ(log->begin(0), 0U);
  EXPECT_EQ(log->end(0), 150U);
  EXPECT_EQ(texts(log->read(0, 0, 1000, 1 << 20)), numbered(0, 150));
  EXPECT_EQ(texts(log->read(0, 90, 20, 1 << 20)), numbered(90, 110));
  EXPECT_EQ(texts(log->read(0, 150, 20, 1 << 20)), std::vector<std::string>());
  EXPECT_EQ(texts(log->read(1, 0, 10, 1)).size(), 3U);  // A whole group, however large.
  EXPECT_EQ(texts(log->read(1, 1, 1, 1 << 20))[0], std::string("a\0b", 3));
}

TEST_F(LocalLogTest, keeps_it_over_a_restart) {
  {
    auto log = open();
    ASSERT_TRUE(append(*log, 0, numbered(0, 1000)));
    ASSERT_TRUE(log->plan({{0, {100, 200}}}, 7));
  }
  auto log = open();
  EXPECT_EQ(texts(log->read(0, 0, 1000, 1 << 20)), numbered(0, 1000));
  EXPECT_EQ(log->progress(0)->next, 100U);
  EXPECT_EQ(log->progress(0)->plan, (Range{100, 200}));
  ASSERT_TRUE(log->confirm(0, 200));
  EXPECT_EQ(log->progress(0)->next, 200U);
  EXPECT_FALSE(log->progress(0)->plan);
  EXPECT_EQ(log->progress(1)->next, 0U);
}

TEST_F(LocalLogTest, keeps_what_it_acknowledged_before_it_was_killed) {
  append_and_die(0, 500);
  append_and_die(500, 700);
  auto log = open();
  EXPECT_EQ(texts(log->read(0, 0, 1000, 1 << 20)), numbered(0, 700));
}

TEST_F(LocalLogTest, keeps_what_it_acknowledged_before_it_was_killed_and_before_the_disk_had_it) {
  options.sync_behind_ms = 10'000;
  append_and_die(0, 500);
  append_and_die(500, 700);
  auto log = open();
  EXPECT_EQ(texts(log->read(0, 0, 1000, 1 << 20)), numbered(0, 700));
}

TEST_F(LocalLogTest, cuts_a_torn_tail_and_goes_on) {
  append_and_die(0, 100);
  const auto wal = files(".log").back();
  append_and_die(100, 200);
  // What a machine that lost power leaves of a write that was never acknowledged.
  const auto tail = files(".log").back();
  ASSERT_GT(fs::file_size(tail), 40U);
  ASSERT_NE(tail, wal) << "each opening begins a file of its own";
  fs::resize_file(tail, fs::file_size(tail) - 20);
  auto log = open();
  EXPECT_EQ(texts(log->read(0, 0, 1000, 1 << 20)), numbered(0, 100));
  ASSERT_TRUE(append(*log, 0, numbered(100, 110)));
  EXPECT_EQ(texts(log->read(0, 0, 1000, 1 << 20)), numbered(0, 110));
}

TEST_F(LocalLogTest, does_not_hand_out_what_the_disk_has_changed) {
  {
    auto log = open();
    ASSERT_TRUE(append(*log, 0, std::vector<std::string>(2000, std::string(200, 'x'))));
  }
  append_and_die(0, 1);  // Opens, and so moves the first records from the write-ahead log into a table file.
  ASSERT_FALSE(files(".sst").empty());
  for (const auto& path : files(".sst")) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(fs::file_size(path) / 3));
    file.write("damaged by the disk", 19);
  }
  const auto log = open_local_log(options);
  if (!log) {
    EXPECT_EQ(log.error().action, Action::give_up);
    return;
  }
  const auto records = (*log)->read(0, 0, 2000, 16 << 20);
  ASSERT_FALSE(records);
  EXPECT_EQ(records.error().action, Action::give_up);
}

TEST_F(LocalLogTest, refuses_another_number_of_partitions) {
  open();
  options.partitions = 3;
  const auto log = open_local_log(options);
  ASSERT_FALSE(log);
  EXPECT_NE(log.error().message.find("2 partitions"), std::string::npos);
}

TEST_F(LocalLogTest, refuses_more_than_it_may_keep_until_room_is_made) {
  options.max_bytes = 1 << 20;
  auto log = open();
  Result<void> result;
  int taken = 0;
  for (; taken < 100 && result; ++taken) result = append(*log, 0, {std::string(100'000, 'x')});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().action, Action::retry);
  EXPECT_GE(taken, 10);
  EXPECT_LE(taken, 13);
  ASSERT_TRUE(log->confirm(0, log->end(0)));
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!append(*log, 0, {"small"})) {
    ASSERT_LT(std::chrono::steady_clock::now(), end);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_GT(log->begin(0), 0U);
  const auto gone = log->read(0, 0, 1, 1);
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().action, Action::give_up);
}

TEST_F(LocalLogTest, refuses_events_before_the_disk_is_full) {
  options.min_free_disk_bytes = std::uint64_t{1} << 60;
  auto log = open();
  const auto result = append(*log, 0, {"a"});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().action, Action::retry);
  EXPECT_EQ(log->end(0), 0U);
}

TEST_F(LocalLogTest, keeps_confirmed_records_for_a_while) {
  const auto clock = std::make_shared<ManualClock>(WallTime(Millis(1'767'225'600'000)));
  options.clock = clock;
  options.keep_confirmed_ms = 60'000;
  auto log = open();
  ASSERT_TRUE(append(*log, 0, numbered(0, 100)));
  ASSERT_TRUE(log->confirm(0, 100));
  clock->advance(Millis(59'000));
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));  // It looks once a second.
  EXPECT_EQ(log->begin(0), 0U);
  clock->advance(Millis(2'000));
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (log->begin(0) != 100 && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(log->begin(0), 100U);
  EXPECT_EQ(log->end(0), 100U);
  log.reset();
  log = open();
  EXPECT_EQ(log->end(0), 100U) << "offsets are never used again";
  ASSERT_TRUE(append(*log, 0, numbered(100, 101)));
  EXPECT_EQ(texts(log->read(0, 100, 10, 1 << 20)), numbered(100, 101));
}

TEST_F(LocalLogTest, tells_since_when_the_first_record_that_has_not_landed_waits) {
  const auto clock = std::make_shared<ManualClock>(WallTime(Millis(1'767'225'600'000)));
  options.clock = clock;
  const auto registry = std::make_shared<metrics::Registry>();
  options.metrics = registry;
  auto log = open();
  ASSERT_TRUE(append(*log, 1, numbered(0, 10)));
  clock->advance(Millis(5'000));
  ASSERT_TRUE(append(*log, 1, numbered(10, 20)));
  const auto since = [&]() { return log->standings()->at(1).waiting_since_ms; };
  EXPECT_FALSE(log->standings()->at(0).waiting_since_ms);
  EXPECT_EQ(since(), 1'767'225'600'000);
  ASSERT_TRUE(log->confirm(1, 7));
  EXPECT_EQ(since(), 1'767'225'600'000);
  ASSERT_TRUE(log->confirm(1, 10));
  EXPECT_EQ(since(), 1'767'225'605'000);
  log.reset();
  log = open();
  EXPECT_EQ(since(), 1'767'225'605'000) << "from the disk";
  ASSERT_TRUE(log->confirm(1, 20));
  EXPECT_FALSE(since());
  const auto shown = metrics::render(*registry);
  for (const char* name : {"marquee_log_max_bytes ", "marquee_log_kept_bytes ", "marquee_log_min_free_disk_bytes ",
                           "marquee_log_max_pending_bytes ", "marquee_log_pending_bytes 0"}) {
    EXPECT_NE(shown.find(name), std::string::npos) << name << " in " << shown;
  }
}

TEST_F(LocalLogTest, finds_the_first_record_of_a_time) {
  const WallTime begin(Millis(1'767'225'600'000));
  const auto clock = std::make_shared<ManualClock>(begin);
  options.clock = clock;
  auto log = open();
  EXPECT_EQ(log->offset_at(0, begin), 0U);
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(append(*log, 0, numbered(i * 7, i * 7 + 7)));
    clock->advance(Millis(10));
  }
  log.reset();
  log = open();  // From the disk, and from memory.
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(append(*log, 0, numbered(0, 3)));
    clock->advance(Millis(10));
  }
  EXPECT_EQ(log->offset_at(0, begin - Millis(5)), 0U);
  for (int i = 0; i < 25; ++i) {
    const auto first = static_cast<Offset>(i < 20 ? i * 7 : 140 + (i - 20) * 3);
    EXPECT_EQ(log->offset_at(0, begin + Millis(10 * i)), first);
    EXPECT_EQ(log->offset_at(0, begin + Millis(10 * i - 9)), first);
  }
  EXPECT_EQ(log->offset_at(0, begin + Millis(241)), 155U);
  EXPECT_EQ(log->offset_at(1, begin), 0U);
}

class EveryLog : public LocalLogTest, public ::testing::WithParamInterface<bool> {
 protected:
  std::unique_ptr<EventLog> make() { return GetParam() ? open_memory_log(2) : open(); }
};
INSTANTIATE_TEST_SUITE_P(Memory, EveryLog, ::testing::Bool());

TEST_P(EveryLog, gives_every_reader_the_same_while_many_append) {
  auto log = make();
  constexpr int kThreads = 4;
  constexpr int kEach = 300;
  std::vector<std::thread> writers;
  for (int t = 0; t < kThreads; ++t) {
    writers.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        std::vector<Batch> batches;
        for (Partition p = 0; p < 2; ++p) {
          batches.emplace_back(p);
          batches.back().add(std::to_string(t) + "/" + std::to_string(i));
        }
        ASSERT_TRUE(append(*log, std::move(batches)));
      }
    });
  }
  std::vector<std::string> seen;
  while (seen.size() < std::size_t{kThreads} * kEach) {
    ASSERT_TRUE(log->wait_for(0, seen.size(), Millis(20'000)));
    for (auto& text : texts(log->read(0, seen.size(), 100, 1 << 20))) seen.push_back(text);
  }
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(log->end(0), seen.size());
  EXPECT_EQ(log->end(1), seen.size());
  std::vector<int> next(kThreads);
  for (const auto& text : seen) {
    const auto thread = static_cast<std::size_t>(text[0] - '0');
    EXPECT_EQ(text.substr(2), std::to_string(next[thread]++)) << "the records of one writer stay in order";
  }
}

TEST_P(EveryLog, finds_what_was_appended_since_a_moment) {
  auto log = make();
  ASSERT_TRUE(append(*log, 0, numbered(0, 10)));
  const WallTime before = SystemClock().now();
  while (SystemClock().now() <= before + Millis(1)) {
  }
  const WallTime moment = SystemClock().now();
  EXPECT_EQ(log->offset_at(0, moment), 10U);
  ASSERT_TRUE(append(*log, 0, numbered(10, 20)));
  EXPECT_EQ(log->offset_at(0, moment), 10U);
  EXPECT_EQ(log->offset_at(0, moment - std::chrono::hours(1)), 0U);
  EXPECT_EQ(log->offset_at(0, moment + std::chrono::hours(1)), 20U);
}

TEST_P(EveryLog, ends_waits_and_refuses_appends_once_it_closes) {
  auto log = make();
  std::thread closer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // So that the wait has begun; either order must work.
    log->close();
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(log->wait_for(0, 0, Millis(20'000)));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
  closer.join();
  const auto late = append(*log, 0, {"a"});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().action, Action::retry);
}

TEST_P(EveryLog, tells_how_its_partitions_stand_and_whether_someone_follows_them) {
  class Nobody final : public Follower {
    void take(const std::vector<Partition>&) override {}
    void release(const std::vector<Partition>&, bool) override {}
  };
  auto log = make();
  ASSERT_TRUE(append(*log, 0, numbered(0, 5)));
  ASSERT_TRUE(log->confirm(0, 3));
  auto all = log->standings();
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ((*all)[0].kept, (Range{0, 5}));
  EXPECT_EQ((*all)[0].landed, 3U);
  EXPECT_TRUE((*all)[0].waiting_since_ms);
  EXPECT_EQ((*all)[0].is_followed, false);
  EXPECT_FALSE((*all)[1].waiting_since_ms);
  Nobody nobody;
  log->follow(nobody);
  EXPECT_EQ(log->standings()->at(1).is_followed, true);
  log->unfollow();
  EXPECT_EQ(log->standings()->at(1).is_followed, false);
}

TEST(Blob, gives_back_its_records_and_notices_any_change) {
  EXPECT_TRUE(rc::check([] {
    const auto records = *rc::gen::arbitrary<std::vector<std::string>>();
    Batch batch(0);
    for (const auto& record : records) batch.add(record);
    auto blob = make_blob({batch.count(), 5}, batch.bytes());
    const auto back = read_blob(blob);
    RC_ASSERT(back.has_value());
    RC_ASSERT(std::vector<std::string>(back->begin(), back->end()) == records);
    const auto at = static_cast<std::size_t>(*rc::gen::inRange<int>(0, static_cast<int>(blob.size())));
    blob[at] = static_cast<char>(blob[at] ^ (1 << *rc::gen::inRange(0, 8)));
    RC_ASSERT(!read_blob(blob));
  }));
}

}  // namespace
}  // namespace marquee::log
