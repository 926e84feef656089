#include "marquee/profile/profile_store.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <thread>

#include "profile_events.h"

namespace marquee::profile {
namespace {

using testing::Crowd;
using testing::Directory;
using testing::kNewYear;
using testing::make_event;
using testing::permission;

constexpr ProfileStoreOptions kSmall{.partitions = 2, .capacity = 400, .shards = 4, .repeat_window = 400};

/// A log of a crowd: the partition of each event, and its bytes.
std::vector<std::vector<std::string>> make_log(std::uint64_t seed, std::size_t events, std::uint64_t users) {
  std::vector<std::vector<std::string>> log(kSmall.partitions);
  Crowd crowd(seed, users);
  for (std::size_t i = 0; i < events; ++i) {
    const auto event = crowd.next();
    auto& partition = log[event::partition_of(event, kSmall.partitions)];
    partition.emplace_back();
    event::encode(event, partition.back());
    if (i % 37 == 0) partition.push_back(partition.back());  // A repeat.
  }
  return log;
}

/// Applies what the store does not know yet, up to `end` of the partition.
void feed(ProfileStore& store, const std::vector<std::vector<std::string>>& log, log::Partition partition,
          log::Offset end) {
  PropsReader reader;
  for (log::Offset at = store.next(partition); at < end; ++at) {
    const auto event = event::decode(log[partition][at]);
    ASSERT_TRUE(event);
    observe(store, reader, {partition, at}, *event);
  }
  store.advance(partition, end);
}

std::string snapshot_of(const ProfileStore& store) {
  const Directory directory;
  EXPECT_TRUE(store.save(directory.file("snapshot")));
  return testing::bytes_of_file(directory.file("snapshot"));
}

class StoreOfSeed : public ::testing::TestWithParam<std::uint64_t> {};

// More users than there is room for, so that evictions are the same too.
TEST_P(StoreOfSeed, is_the_same_bytes_of_the_same_log_whatever_restarts_there_were) {
  const auto log = make_log(GetParam(), 20'000, 900);
  ProfileStore whole(kSmall);
  for (log::Partition p = 0; p < kSmall.partitions; ++p) feed(whole, log, p, log[p].size());
  ASSERT_GT(whole.state().evicted, 100U);
  ASSERT_LE(whole.state().profiles, kSmall.capacity);

  const Directory directory;
  std::mt19937_64 random(GetParam());
  auto store = std::make_unique<ProfileStore>(kSmall);
  for (int restart = 0; restart < 8; ++restart) {
    for (log::Partition p = 0; p < kSmall.partitions; ++p) {
      const log::Offset next = store->next(p);
      feed(*store, log, p, next + random() % (log[p].size() - next + 1) / 2);
    }
    ASSERT_TRUE(store->save(directory.file("snapshot")));
    // What came after the snapshot is lost with the process, and read again.
    for (log::Partition p = 0; p < kSmall.partitions; ++p)
      feed(*store, log, p, std::min<log::Offset>(store->next(p) + random() % 500, log[p].size()));
    store = std::make_unique<ProfileStore>(kSmall);
    const auto loaded = store->load(directory.file("snapshot"));
    ASSERT_TRUE(loaded && *loaded) << loaded.error().message;
  }
  for (log::Partition p = 0; p < kSmall.partitions; ++p) feed(*store, log, p, log[p].size());
  EXPECT_TRUE(snapshot_of(*store) == snapshot_of(whole)) << "seed " << GetParam();
}
INSTANTIATE_TEST_SUITE_P(Seeds, StoreOfSeed, ::testing::Range<std::uint64_t>(1, 5));

TEST(ProfileStore, applies_each_event_once) {
  ProfileStore store(kSmall);
  PropsReader reader;
  const auto event = make_event(2, 1, event::Type::page_view, kNewYear);
  EXPECT_EQ(observe(store, reader, {0, 10}, event), Outcome::applied);
  EXPECT_EQ(observe(store, reader, {0, 10}, event), Outcome::before);
  EXPECT_EQ(observe(store, reader, {0, 9}, make_event(2, 2, event::Type::page_view, kNewYear)), Outcome::before);
  EXPECT_EQ(observe(store, reader, {0, 11}, event), Outcome::repeat);
  EXPECT_EQ(observe(store, reader, {0, 12}, make_event(2, 3, event::Type::page_view, kNewYear)), Outcome::applied);
}

TEST(ProfileStore, tells_what_a_user_did_and_saw) {
  ProfileStore store(kSmall);
  PropsReader reader;
  std::uint32_t seq = 0;
  const auto give = [&](event::Type type, Seconds time, auto&& fill) {
    auto event = make_event(5, ++seq, type, time);
    fill(event);
    ASSERT_EQ(observe(store, reader, {0, seq}, event), Outcome::applied);
  };
  give(event::Type::search, kNewYear, [](event::Event& e) { e.search_query = "Data science"; });
  give(event::Type::course_view, kNewYear + 10, [](event::Event& e) {
    e.course_id = "c-1";
    e.props = R"({"age":40,"category":"science"})";
  });
  for (Seconds i = 0; i < 4; ++i) {
    give(event::Type::impression, kNewYear + 100 + i * 1'000, [](event::Event& e) {
      e.ad_id = "banner";
      e.campaign_id = "autumn";
      e.props = R"({"age":40})";
    });
  }
  const auto profile = store.read(permission(5));
  ASSERT_TRUE(profile);
  const Seconds now = kNewYear + 3'200;
  EXPECT_EQ(profile->interests(TopicKind::search_word, now).size(), 2U);
  EXPECT_GT(profile->weight(TopicKind::search_word, topic_of(TopicKind::search_word, "science"), now), 0.9);
  EXPECT_GT(profile->weight(TopicKind::category, topic_of(TopicKind::category, "science"), now), 0.9);
  EXPECT_GT(profile->weight(TopicKind::course, topic_of(TopicKind::course, "c-1"), now), 0.9);
  EXPECT_NEAR(profile->weight(TopicKind::ad_seen, topic_of(TopicKind::ad_seen, "banner"), now), 4, 0.1);
  EXPECT_FALSE(store.read(permission(6)));
}

TEST(ProfileStore, lets_go_of_who_was_not_seen_for_longest) {
  ProfileStore store({.capacity = 100, .shards = 1, .repeat_window = 10});
  PropsReader reader;
  log::Offset offset = 0;
  std::uint32_t seq = 0;
  const auto see = [&](std::uint64_t user) {
    ++seq;
    observe(store, reader, {0, offset++}, make_event(user, seq, event::Type::page_view, kNewYear + seq));
  };
  for (std::uint64_t user = 1; user <= 100; ++user) see(user);
  see(1);
  for (std::uint64_t user = 101; user <= 150; ++user) see(user);
  EXPECT_TRUE(store.read(permission(1)));
  for (std::uint64_t user = 2; user <= 51; ++user) EXPECT_FALSE(store.read(permission(user))) << user;
  for (std::uint64_t user = 52; user <= 150; ++user) EXPECT_TRUE(store.read(permission(user))) << user;
  EXPECT_EQ(store.state().evicted, 50U);
  EXPECT_EQ(store.state().profiles, 100U);
}

TEST(ProfileStore, is_told_apart_by_site) {
  ProfileStore store(kSmall);
  PropsReader reader;
  observe(store, reader, {0, 1}, make_event(1, 1, event::Type::page_view, kNewYear));
  EXPECT_TRUE(store.read(permission(1)));
  EXPECT_FALSE(store.read(*Permission::grant("other", 1, event::Consent::full, 30)));
}

TEST(ProfileStore, refuses_a_snapshot_that_is_damaged) {
  const Directory directory;
  const auto log = make_log(1, 500, 50);
  ProfileStore store(kSmall);
  for (log::Partition p = 0; p < kSmall.partitions; ++p) feed(store, log, p, log[p].size());
  ASSERT_TRUE(store.save(directory.file("snapshot")));
  const auto bytes = testing::bytes_of_file(directory.file("snapshot"));
  std::mt19937_64 random(1);
  for (int i = 0; i < 50; ++i) {
    auto damaged = bytes;
    if (i % 2 == 0) {
      damaged[random() % damaged.size()] ^= static_cast<char>(1 << random() % 8);
    } else {
      damaged.resize(random() % damaged.size());
    }
    std::ofstream(directory.file("damaged"), std::ios::binary) << damaged;
    ProfileStore other(kSmall);
    const auto loaded = other.load(directory.file("damaged"));
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().action, Action::give_up);
  }
  ProfileStore of_others({.partitions = 4, .capacity = 400, .shards = 4});
  EXPECT_FALSE(of_others.load(directory.file("snapshot")));
  ProfileStore other(kSmall);
  EXPECT_FALSE(*other.load(directory.file("none")));
}

TEST(ProfileStore, has_the_earlier_snapshot_or_the_later_one_after_being_killed_while_saving) {
  const Directory directory;
  const auto log = make_log(2, 6'000, 300);
  ProfileStore store(kSmall);
  feed(store, log, 0, log[0].size() / 2);
  const auto earlier = snapshot_of(store);
  ASSERT_TRUE(store.save(directory.file("snapshot")));
  feed(store, log, 0, log[0].size());
  const auto later = snapshot_of(store);
  ASSERT_NE(earlier, later);
  std::mt19937_64 random(7);
  int unfinished = 0;
  for (int i = 0; i < 30; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      while (true) (void)store.save(directory.file("snapshot"));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 4'000));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    unfinished += std::filesystem::exists(directory.file("snapshot.new")) ? 1 : 0;
    const auto bytes = testing::bytes_of_file(directory.file("snapshot"));
    ASSERT_TRUE(bytes == earlier || bytes == later);
    ProfileStore other(kSmall);
    ASSERT_TRUE(other.load(directory.file("snapshot")));
  }
  EXPECT_GT(unfinished, 0) << "no kill came while a snapshot was being written";
}

/// Deciders beside the followers of both partitions, and erasures: run it under ThreadSanitizer.
TEST(ProfileStore, is_read_while_it_is_written) {
  const auto log = make_log(3, 20'000, 300);
  ProfileStore store({.partitions = 2, .capacity = 150, .shards = 4, .repeat_window = 400});
  std::atomic<int> writers = 2;
  std::atomic<std::uint64_t> found = 0, faults = 0;
  std::vector<std::thread> threads;
  for (log::Partition p = 0; p < 2; ++p) {
    threads.emplace_back([&, p] {
      feed(store, log, p, log[p].size());
      --writers;
    });
  }
  for (unsigned seed = 1; seed <= 2; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937_64 random(seed);
      while (writers > 0) {
        const auto profile = store.read(permission(random() % 300 + 1));
        if (!profile) continue;
        ++found;
        // True of any whole profile.
        if (profile->first_seen() == 0 || profile->first_seen() > profile->last_seen() ||
            profile->last_seen() / kDayS != profile->record().day)
          ++faults;
      }
    });
  }
  threads.emplace_back([&] {
    const Directory directory;
    std::mt19937_64 random(9);
    while (writers > 0) {
      store.erase(permission(random() % 300 + 1).id(), {});
      (void)store.save(directory.file("snapshot"));
      (void)store.state();
    }
  });
  for (auto& thread : threads) thread.join();
  EXPECT_GT(found.load(), 0U);
  EXPECT_EQ(faults.load(), 0U);
}

}  // namespace
}  // namespace marquee::profile
