// What the loader does with records that cannot be loaded.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <mutex>

#include "loader_fake_store.h"
#include "loader_test_events.h"
#include "marquee/ingest/loader.h"
#include "marquee/log/memory_log.h"

namespace marquee::ingest {
namespace {

using testing::append;
using testing::encoded;
using testing::eventually;
using testing::Fate;
using testing::make_event;
using Place = std::pair<std::uint32_t, std::uint64_t>;

/// A topic that fails as it is told to.
class Topic {
 public:
  std::vector<Result<void>> take(const std::vector<DeadLetter>& letters) {
    const std::lock_guard lock(mutex_);
    std::vector<Result<void>> outcomes;
    for (const DeadLetter& letter : letters) {
      const auto fails = refusals_.find(letter.offset);
      if (failing_ > 0)
        outcomes.emplace_back(Error::retry("the brokers are silent"));
      else if (fails != refusals_.end())
        outcomes.emplace_back(Error::reject("too large"));
      else
        outcomes.emplace_back(), taken_.push_back(letter);
    }
    if (failing_ > 0) --failing_;
    return outcomes;
  }
  void fail(unsigned times) {
    const std::lock_guard lock(mutex_);
    failing_ = times;
  }
  void refuse(log::Offset offset) { refusals_.insert(offset); }
  [[nodiscard]] std::vector<DeadLetter> taken() const {
    const std::lock_guard lock(mutex_);
    return taken_;
  }
  [[nodiscard]] std::multiset<log::Offset> offsets() const {
    std::multiset<log::Offset> all;
    for (const auto& letter : taken()) all.insert(letter.offset);
    return all;
  }

 private:
  mutable std::mutex mutex_;
  unsigned failing_ = 0;
  std::set<log::Offset> refusals_;
  std::vector<DeadLetter> taken_;
};

class LoaderDeadLetters : public ::testing::Test {
 protected:
  LoaderDeadLetters() : log(log::open_memory_log(1)) {
    options.linger_ms = 1;
    options.topic = "site.events";
    options.dead_letter_sink = [this](const std::vector<DeadLetter>& letters) { return topic.take(letters); };
  }
  void start() {
    clickhouse::Endpoint endpoint;
    endpoint.url = store.url();
    client = std::make_unique<clickhouse::Client>(endpoint);
    loader = std::make_unique<Loader>(options, *log, *client);
    loader->start();
  }
  [[nodiscard]] bool is_all_confirmed() {
    const auto progress = log->progress(0);
    return progress && !progress->plan && progress->next == log->end(0);
  }
  void expect_confirmed() {
    ASSERT_TRUE(eventually([this] { return is_all_confirmed(); })) << loader->status().last_error;
  }
  static std::string poison(std::uint32_t seq) {
    auto event = make_event(1, seq);
    event.search_query = "poison";
    return encoded(event);
  }

  testing::FakeStore store;
  Topic topic;
  std::unique_ptr<log::EventLog> log;
  LoaderOptions options;
  std::unique_ptr<clickhouse::Client> client;
  std::unique_ptr<Loader> loader;
};

TEST_F(LoaderDeadLetters, are_in_store_and_topic_with_reason_place_and_bytes_before_their_batch_is_confirmed) {
  append(*log, 0, {encoded(make_event(1, 1)), "\xFF no event", encoded(make_event(1, 2))});
  start();
  expect_confirmed();
  EXPECT_EQ(store.events().size(), 2U);
  ASSERT_EQ(topic.taken().size(), 1U);
  const DeadLetter letter = topic.taken()[0];
  EXPECT_EQ(letter.topic, "site.events");
  EXPECT_EQ(letter.partition, 0U);
  EXPECT_EQ(letter.offset, 1U);
  EXPECT_EQ(letter.bytes, "\xFF no event");
  EXPECT_EQ(letter.reason, "an event of unknown version -1");
  const auto stored = store.letters().at({0, 1});
  EXPECT_EQ(stored.topic, letter.topic);
  EXPECT_EQ(stored.reason, letter.reason);
  EXPECT_EQ(stored.bytes, letter.bytes);
}

TEST_F(LoaderDeadLetters, are_what_no_rollup_could_count) {
  std::vector<std::string> records;
  const auto add = [&records](auto&& change) {
    auto event = make_event(1, static_cast<std::uint32_t>(records.size() + 1));
    change(event);
    records.push_back(encoded(event));
  };
  add([](event::Event& e) { e.value = std::numeric_limits<double>::quiet_NaN(); });
  add([](event::Event& e) { e.value = std::numeric_limits<double>::infinity(); });
  add([](event::Event& e) { e.event_time_ms = std::numeric_limits<std::int64_t>::max(); });
  add([](event::Event& e) { e.event_time_ms = -1; });
  add([](event::Event&) {});
  append(*log, 0, records);
  start();
  expect_confirmed();
  EXPECT_EQ(store.events().size(), 1U);
  EXPECT_EQ(topic.offsets(), (std::multiset<log::Offset>{0, 1, 2, 3}));
}

TEST_F(LoaderDeadLetters, wait_for_a_topic_that_is_away_and_say_so) {
  topic.fail(1'000'000);
  append(*log, 0, {"broken", encoded(make_event(1, 1))});
  start();
  ASSERT_TRUE(eventually([this] { return !loader->status().last_error.empty(); }));
  EXPECT_EQ(loader->status().last_error, "partition 0: dead letters: the brokers are silent");
  EXPECT_EQ(store.letters().size(), 1U);  // Nobody has to wait for it there.
  topic.fail(0);
  expect_confirmed();
  EXPECT_EQ(topic.offsets(), (std::multiset<log::Offset>{0}));
  ASSERT_TRUE(eventually([this] { return loader->status().last_error.empty(); }));
}

TEST_F(LoaderDeadLetters, do_not_stall_their_partition_where_the_topic_refuses_them) {
  topic.refuse(1);
  append(*log, 0, {"broken", "too large", "broken too", encoded(make_event(1, 1))});
  start();
  expect_confirmed();
  EXPECT_EQ(topic.offsets(), (std::multiset<log::Offset>{0, 2}));
  EXPECT_EQ(store.dead_letters(), (std::set<Place>{{0, 0}, {0, 1}, {0, 2}}));
  EXPECT_EQ(store.events().size(), 1U);
}

TEST_F(LoaderDeadLetters, are_the_rows_that_the_store_refuses_and_are_counted_as_such) {
  append(*log, 0, {encoded(make_event(1, 1)), poison(2), encoded(make_event(1, 3)), poison(4), "broken"});
  start();
  expect_confirmed();
  EXPECT_EQ(store.events().size(), 2U);
  EXPECT_EQ(topic.offsets(), (std::multiset<log::Offset>{1, 3, 4}));
  EXPECT_EQ(loader->status().events_landed, 2U);
  EXPECT_EQ(loader->status().dead_letters, 3U);
  EXPECT_TRUE(store.letters().at({0, 1}).reason.starts_with("the store refuses it (error 117): "));
}

TEST_F(LoaderDeadLetters, are_written_once_though_recovery_begins_again) {
  append(*log, 0, {poison(1), encoded(make_event(1, 2)), poison(3), encoded(make_event(1, 4))});
  // The last step of recovery fails a few times, and so does the second letter.
  store.fail_statements("ALTER TABLE marquee.toy REPLACE", 3);
  start();
  expect_confirmed();
  EXPECT_EQ(store.events().size(), 2U);
  EXPECT_EQ(topic.offsets(), (std::multiset<log::Offset>{0, 2}));
}

TEST_F(LoaderDeadLetters, do_not_make_their_mended_event_a_repeat) {
  append(*log, 0, {encoded(make_event(1, 1)), poison(2), encoded(make_event(1, 3))});
  start();
  expect_confirmed();
  append(*log, 0, {encoded(make_event(1, 2)), encoded(make_event(1, 3))});  // The first is mended, the other a repeat.
  expect_confirmed();
  EXPECT_EQ(store.events().size(), 3U);
  EXPECT_EQ(loader->status().repeats_dropped, 1U);
  append(*log, 0, {encoded(make_event(1, 2))});
  expect_confirmed();
  EXPECT_EQ(store.events().size(), 3U);
}

TEST_F(LoaderDeadLetters, stay_letters_though_the_store_would_take_them_by_now) {
  const auto directory = std::filesystem::temp_directory_path() / fmt::format("dead-letter-test-{}", ::getpid());
  std::filesystem::create_directories(directory);
  options.directory = directory.string();
  append(*log, 0, {encoded(make_event(1, 1)), poison(2)});
  start();
  expect_confirmed();
  append(*log, 0, {encoded(make_event(1, 2))});  // Its replay.
  expect_confirmed();
  loader.reset();
  // Power was lost, and with it the replay's row. All that the log keeps is counted again.
  store.take_poison();
  store.lose_events(1);
  std::ofstream(directory / "loader-boot-id") << "another boot";
  start();
  ASSERT_TRUE(eventually([this] { return store.events().size() == 2; }));
  append(*log, 0, {encoded(make_event(1, 2)), encoded(make_event(1, 3))});
  expect_confirmed();
  EXPECT_EQ(store.events().size(), 3U);
  std::multiset<std::uint64_t> offsets;
  for (const auto& row : store.events()) offsets.insert(row.offset);
  EXPECT_EQ(offsets, (std::multiset<std::uint64_t>{0, 2, 4}));
  EXPECT_EQ(store.rollup(), store.recounted_rollup());
  loader.reset();
  std::filesystem::remove_all(directory);
}

TEST_F(LoaderDeadLetters, are_written_again_by_who_completes_a_batch) {
  append(*log, 0, {encoded(make_event(1, 1)), "broken", poison(2)});
  ASSERT_TRUE(log->plan({{0, {0, 3}}}, 4711));
  topic.fail(2);
  start();
  expect_confirmed();
  EXPECT_EQ(store.events().size(), 1U);
  EXPECT_EQ(topic.offsets(), (std::multiset<log::Offset>{1, 2}));
  EXPECT_EQ(store.dead_letters(), (std::set<Place>{{0, 1}, {0, 2}}));
}

TEST_F(LoaderDeadLetters, of_an_older_log_do_not_stand_for_records_of_this_one) {
  append(*log, 0, {encoded(make_event(1, 1)), "broken"});
  start();
  expect_confirmed();
  loader.reset();
  log = log::open_memory_log(1);
  append(*log, 0, {encoded(make_event(2, 1)), encoded(make_event(2, 2))});
  store.set_fates({Fate::dropped_before});
  start();
  expect_confirmed();
  EXPECT_EQ(store.events().size(), 3U);
}

}  // namespace
}  // namespace marquee::ingest
