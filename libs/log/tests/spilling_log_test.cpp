#include "marquee/log/spilling_log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <random>
#include <set>

#include "appending.h"
#include "marquee/log/local_log.h"
#include "spill_record.h"
#include "troubled_log.h"

namespace marquee::log {
namespace {

namespace fs = std::filesystem;
using testing::append;
using testing::append_later;
using testing::numbered;
using testing::TroubledLog;
using Mood = TroubledLog::Mood;

constexpr Partition kLanes = 4;

template <class Condition>
bool eventually(Condition condition, std::chrono::seconds limit = std::chrono::seconds(30)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

bool is_answered(std::future<Result<void>>& one) {
  return one.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

class SpillingLogTest : public ::testing::Test {
 protected:
  SpillingLogTest() {
    std::string pattern = (fs::temp_directory_path() / "marquee-spill-XXXXXX").string();
    near_options.directory = ::mkdtemp(pattern.data());
    near_options.partitions = kLanes;
    near_options.min_free_disk_bytes = 0;
    near_options.keep_confirmed_ms = 0;
    options.after = Millis(20);
    options.drain_within = Millis(0);
  }
  ~SpillingLogTest() override {
    log.reset();
    fs::remove_all(near_options.directory);
  }

  /// Opens it on a new far log and the near log of the directory.
  void open(Partition partitions = 2) {
    log.reset();
    auto near_log = open_local_log(near_options);
    ASSERT_TRUE(near_log) << near_log.error().message;
    auto far_log = std::make_unique<TroubledLog>(partitions);
    far = far_log.get();
    near = near_log->get();
    auto opened = open_spilling_log(std::move(far_log), std::move(*near_log), options);
    ASSERT_TRUE(opened) << opened.error().message;
    log = std::move(*opened);
  }
  bool is_drained() {
    return eventually([&] { return log->waiting() == 0; });
  }

  LocalLogOptions near_options;
  SpillOptions options;
  std::unique_ptr<SpillingLog> log;
  TroubledLog* far = nullptr;
  EventLog* near = nullptr;
};

TEST_F(SpillingLogTest, leaves_the_disk_alone_while_the_far_log_answers) {
  open();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(append(*log, 1, numbered(i, i + 1)));
  EXPECT_EQ(far->kept(1), numbered(0, 100));
  EXPECT_EQ(near->end(1), 0U);
  EXPECT_EQ(log->waiting(), 0U);
}

TEST_F(SpillingLogTest, succeeds_from_the_disk_while_the_far_log_fails_and_drains_in_order) {
  open();
  ASSERT_TRUE(append(*log, 1, numbered(0, 10)));
  far->set(Mood::failing);
  for (int i = 10; i < 500; ++i) ASSERT_TRUE(append(*log, 1, numbered(i, i + 1)));
  EXPECT_EQ(log->waiting(), 490U);
  EXPECT_EQ(far->kept(1), numbered(0, 10));
  far->set(Mood::good);
  ASSERT_TRUE(is_drained());
  EXPECT_EQ(far->kept(1), numbered(0, 500));
  ASSERT_TRUE(append(*log, 1, numbered(500, 501)));
  EXPECT_EQ(far->kept(1), numbered(0, 501));
  EXPECT_EQ(near->end(1), 490U);  // The last went past it.
}

TEST_F(SpillingLogTest, does_not_append_again_what_the_far_log_acknowledges_late) {
  open();
  far->set(Mood::silent);
  ASSERT_TRUE(append(*log, 0, numbered(0, 5)));   // Given to the far log, then spilled.
  ASSERT_TRUE(append(*log, 0, numbered(5, 10)));  // Spilled alone.
  EXPECT_EQ(log->waiting(), 10U);
  far->set(Mood::good);
  ASSERT_TRUE(is_drained());
  EXPECT_EQ(far->kept(0), numbered(0, 10));
}

TEST_F(SpillingLogTest, appends_again_what_the_far_log_kept_without_saying_so) {
  open();
  far->set(Mood::lying);
  ASSERT_TRUE(append(*log, 0, numbered(0, 5)));
  far->set(Mood::failing);
  ASSERT_TRUE(append(*log, 0, numbered(5, 10)));
  far->set(Mood::good);
  ASSERT_TRUE(is_drained());
  const auto kept = far->kept(0);
  const auto repeats = numbered(0, 5);
  // As often as it was given there, in the same partition and order: the loader drops the repeats by identity.
  EXPECT_EQ(std::set<std::string>(kept.begin(), kept.end()).size(), 10U);
  EXPECT_TRUE(std::equal(repeats.begin(), repeats.end(), kept.begin()));
  EXPECT_EQ(std::vector(kept.end() - 10, kept.end()), numbered(0, 10));
}

TEST_F(SpillingLogTest, holds_up_no_other_partition) {
  options.after = Millis(10'000);  // What does not go its own way waits for this.
  open(3);
  far->set(2, Mood::failing);
  ASSERT_TRUE(append(*log, 2, {"two"}));
  ASSERT_TRUE(append(*log, 1, {"one"}));
  std::vector<Batch> both(2, Batch(0));
  both[0].add("zero");
  both[1] = Batch(2);
  both[1].add("and two");
  std::promise<Result<void>> done;
  log->append(std::move(both), [&](Result<void> result) { done.set_value(std::move(result)); });
  EXPECT_TRUE(done.get_future().get());
  EXPECT_EQ(log->waiting(), 2U);
  EXPECT_EQ(far->kept(0), std::vector<std::string>{"zero"});
  EXPECT_EQ(far->kept(1), std::vector<std::string>{"one"});
  far->set(Mood::good);
  ASSERT_TRUE(is_drained());
  EXPECT_EQ(far->kept(2), (std::vector<std::string>{"two", "and two"}));
}

TEST_F(SpillingLogTest, passes_on_what_the_far_log_will_never_take) {
  open();
  far->set(Mood::refusing);
  const auto refused = append(*log, 0, {"no"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().action, Action::reject);
  EXPECT_EQ(log->waiting(), 0U);
}

TEST_F(SpillingLogTest, drains_what_an_earlier_process_left_before_what_comes_after_it) {
  open();
  far->set(Mood::silent);
  ASSERT_TRUE(append(*log, 1, numbered(0, 50)));
  ASSERT_TRUE(append(*log, 1, numbered(50, 100)));
  open();  // As after kill -9: the far log never kept what it was given.
  EXPECT_EQ(log->waiting(), 100U);
  ASSERT_TRUE(append(*log, 1, numbered(100, 150)));
  ASSERT_TRUE(is_drained());
  EXPECT_EQ(far->kept(1), numbered(0, 150));
  open();
  EXPECT_EQ(log->waiting(), 0U);  // Nothing of it comes back.
  EXPECT_TRUE(far->kept(1).empty());
}

TEST_F(SpillingLogTest, refuses_when_neither_log_takes_more_and_recovers) {
  near_options.max_bytes = 1;
  near_options.when_full = "it is full";
  open();
  far->set(Mood::failing);
  ASSERT_TRUE(append(*log, 0, numbered(0, 10)));  // Beyond the bound by one group at most.
  const auto refused = append(*log, 0, numbered(10, 20));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().action, Action::retry);
  EXPECT_NE(refused.error().message.find("it is full"), std::string::npos) << refused.error().message;
  EXPECT_FALSE(log->is_taking());
  EXPECT_EQ(log->waiting(), 10U);
  far->set(Mood::good);
  ASSERT_TRUE(is_drained());
  EXPECT_TRUE(log->is_taking());
  ASSERT_TRUE(append(*log, 0, numbered(10, 20)));
  EXPECT_EQ(far->kept(0), numbered(0, 20));
}

TEST_F(SpillingLogTest, bounds_what_waits_in_memory_and_says_at_once_that_it_is_too_much) {
  options.after = Millis(60'000);
  options.max_pending_bytes = 10'000;
  open();
  far->set(Mood::silent);
  std::vector<std::future<Result<void>>> all;
  for (int i = 0; i < 20; ++i) all.push_back(append_later(*log, 0, {std::string(1'000, 'x')}));
  EXPECT_EQ(std::ranges::count_if(all, is_answered), 11);  // Nine of them are under way.
  far->set(Mood::good);
  EXPECT_EQ(std::ranges::count_if(all, [](auto& one) { return one.get().has_value(); }), 9);
  EXPECT_TRUE(append(*log, 0, {"again"}));
}

TEST_F(SpillingLogTest, keeps_a_record_in_its_partition_when_the_far_log_has_grown) {
  open(2);
  far->set(Mood::silent);
  // Keys 1 and 3 go to partition 1 of two; of four, 3 goes to partition 3, in another lane.
  ASSERT_TRUE(append(*log, 1, {"of one", "of three"}, 3));
  ASSERT_TRUE(append(*log, 0, {"of two"}, 2));
  open(4);
  far->set(Mood::failing);
  ASSERT_TRUE(append(*log, 3, {"later of three"}, 3));
  EXPECT_EQ(log->waiting(), 4U);  // It must not overtake: behind the barrier, in a lane of its own.
  far->set(0, Mood::failing);
  far->set(1, Mood::failing);
  far->set(3, Mood::good);
  EXPECT_FALSE(eventually([&] { return !far->kept(3).empty(); }, std::chrono::seconds(1)));
  far->set(Mood::good);
  ASSERT_TRUE(is_drained());
  EXPECT_EQ(far->kept(1), (std::vector<std::string>{"of one", "of three"}));
  EXPECT_EQ(far->kept(3), std::vector<std::string>{"later of three"});
  ASSERT_TRUE(append(*log, 3, {"last"}, 3));
  EXPECT_EQ(near->end(3), 1U);  // The barrier is lifted.
}

TEST_F(SpillingLogTest, chooses_a_partition_by_key_where_its_own_is_no_more) {
  open(4);
  far->set(Mood::silent);
  ASSERT_TRUE(append(*log, 3, {"of seven"}, 7));
  open(2);
  ASSERT_TRUE(is_drained());
  EXPECT_EQ(far->kept(1), std::vector<std::string>{"of seven"});
}

TEST_F(SpillingLogTest, goes_back_to_the_far_log_under_load_that_never_rests) {
  open();
  far->set(Mood::failing);
  std::atomic<bool> stops = false;
  std::vector<std::thread> senders;
  for (int sender = 0; sender < 4; ++sender) {
    senders.emplace_back([&, sender] {
      for (int i = 0; !stops; ++i) EXPECT_TRUE(append(*log, 0, {std::to_string(sender) + " " + std::to_string(i)}));
    });
  }
  EXPECT_TRUE(eventually([&] { return near->end(0) > 100; }));
  far->set(Mood::good);
  EXPECT_TRUE(eventually([&] {
    const auto before = near->end(0);
    const auto far_before = far->end(0);
    return eventually([&] { return far->end(0) > far_before + 200; }) && near->end(0) == before;
  })) << log->waiting();
  stops = true;
  for (auto& sender : senders) sender.join();
}

TEST_F(SpillingLogTest, drains_at_the_end_what_it_can_and_keeps_the_rest) {
  options.drain_within = Millis(30'000);
  open();
  far->set(Mood::failing);
  ASSERT_TRUE(append(*log, 0, numbered(0, 100)));
  far->set(Mood::good);
  log->close();
  EXPECT_EQ(log->waiting(), 0U);
  EXPECT_EQ(far->kept(0), numbered(0, 100));
  EXPECT_FALSE(append(*log, 0, {"late"}));

  open();
  far->set(Mood::silent);
  auto under_way = append_later(*log, 0, numbered(0, 100));
  log->close();  // Does not wait for an answer that never comes.
  EXPECT_TRUE(under_way.get());
  EXPECT_EQ(log->waiting(), 100U);
  open();
  ASSERT_TRUE(is_drained());
  EXPECT_EQ(far->kept(0), numbered(0, 100));
}

/// Senders, each of whom sends its records one after the other, and a far log whose mood changes at random. Whatever
/// happens, every record that was acknowledged is there, and first seen in the order in which it was sent.
class RandomTrouble : public SpillingLogTest, public ::testing::WithParamInterface<bool> {};

TEST_P(RandomTrouble, loses_nothing_and_keeps_each_senders_order) {
  const bool lies = GetParam();
  const auto seed = std::random_device()();
  std::printf("seed %u\n", seed);
  options.after = Millis(5);
  options.chunk_bytes = 2'000;
  open(3);
  std::atomic<bool> stops = false;
  constexpr int kSenders = 6;
  std::vector<int> acknowledged(kSenders, 0);
  std::vector<std::thread> senders;
  for (int sender = 0; sender < kSenders; ++sender) {
    senders.emplace_back([&, sender] {
      std::mt19937 draw(seed + static_cast<unsigned>(sender));
      while (!stops) {
        std::vector<std::string> records;
        const int count = 1 + static_cast<int>(draw() % 5);
        for (int i = 0; i < count; ++i)
          records.push_back(std::to_string(sender) + ":" + std::to_string(acknowledged[sender] + i));
        if (append(*log, static_cast<Partition>(sender % 3), records, 0)) acknowledged[sender] += count;
      }
    });
  }
  std::mt19937 draw(seed);
  for (int i = 0; i < 60; ++i) {
    const Mood moods[] = {Mood::good, Mood::silent, Mood::failing, lies ? Mood::lying : Mood::silent};
    far->set(moods[draw() % 4]);
    if (draw() % 3 == 0) far->set(static_cast<Partition>(draw() % 3), moods[draw() % 4]);
    std::this_thread::sleep_for(std::chrono::milliseconds(draw() % 30));  // The random moment itself.
  }
  far->set(Mood::good);
  stops = true;
  for (auto& sender : senders) sender.join();
  ASSERT_TRUE(is_drained());
  std::vector<int> seen(kSenders, 0);
  std::size_t records = 0;
  for (Partition partition = 0; partition < 3; ++partition) {
    for (const std::string& record : far->kept(partition)) {
      ++records;
      const auto sender = static_cast<std::size_t>(record[0] - '0');
      const int number = std::stoi(record.substr(2));
      EXPECT_EQ(sender % 3, partition);
      EXPECT_LE(number, seen[sender]) << "sender " << sender << ", seed " << seed;  // A repeat, or the next.
      seen[sender] = std::max(seen[sender], number + 1);
    }
  }
  EXPECT_EQ(seen, acknowledged) << "seed " << seed;
  std::size_t expected = 0;
  for (const int count : acknowledged) expected += static_cast<std::size_t>(count);
  if (!lies) {
    EXPECT_EQ(records, expected) << "seed " << seed;
  }
  EXPECT_GT(near->end(0) + near->end(1) + near->end(2), 0U);
}

INSTANTIATE_TEST_SUITE_P(Spill, RandomTrouble, ::testing::Bool(),
                         [](const auto& one) { return one.param ? "with_lies" : "without_lies"; });

TEST(SpillRecord, comes_back_as_it_was_put_and_nothing_else_is_taken_for_one) {
  const SpillRecord put{.partition = 3,
                        .partitions = 8,
                        .key = 0xFEDCBA9876543210,
                        .ticket = 77,
                        .time_ms = 1'700'000'000'000,
                        .record = std::string_view("a\0b", 3)};
  std::string bytes;
  encode(put, bytes);
  const auto got = decode_spill_record(bytes);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->partition, put.partition);
  EXPECT_EQ(got->partitions, put.partitions);
  EXPECT_EQ(got->key, put.key);
  EXPECT_EQ(got->ticket, put.ticket);
  EXPECT_EQ(got->time_ms, put.time_ms);
  EXPECT_EQ(got->record, put.record);
  EXPECT_FALSE(decode_spill_record(""));
  EXPECT_FALSE(decode_spill_record(std::string_view(bytes).substr(0, 20)));
  bytes[0] = 2;
  EXPECT_FALSE(decode_spill_record(bytes));
}

}  // namespace
}  // namespace marquee::log
