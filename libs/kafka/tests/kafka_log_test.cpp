// The log on a real broker.
#include "marquee/kafka/kafka_log.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <future>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "broker_process.h"
#include "eventually.h"
#include "marquee/kafka/topics.h"
#include "observer.h"

namespace marquee::kafka {
namespace {

using log::Offset;
using log::Partition;
using testing::eventually;

/// Notes what it is told.
class Notes final : public log::Follower {
 public:
  void take(const std::vector<Partition>& partitions) override {
    const std::lock_guard lock(mutex_);
    ours_.insert(partitions.begin(), partitions.end());
  }
  void release(const std::vector<Partition>& partitions, bool is_lost) override {
    const std::lock_guard lock(mutex_);
    for (const Partition partition : partitions) ours_.erase(partition);
    if (is_lost) ++lost_;
  }
  [[nodiscard]] std::set<Partition> ours() const {
    const std::lock_guard lock(mutex_);
    return ours_;
  }
  /// How often.
  [[nodiscard]] int lost() const {
    const std::lock_guard lock(mutex_);
    return lost_;
  }

 private:
  mutable std::mutex mutex_;
  std::set<Partition> ours_;
  int lost_ = 0;
};

class KafkaLogTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { broker = std::make_unique<testing::BrokerProcess>(); }
  static void TearDownTestSuite() { broker.reset(); }

  void SetUp() override {
    static int count = 0;
    options.cluster = broker->cluster();
    options.topic = fmt::format("events-{}", ++count);
    options.group = fmt::format("loaders-{}", count);
    options.session = Millis(6'000);
    const auto made =
        make_topics(options.cluster, {{.name = options.topic, .partitions = 4, .retention_ms = 86'400'000}});
    ASSERT_TRUE(made) << made.error().message;
  }

  std::unique_ptr<log::EventLog> open() {
    auto opened = open_kafka_log(options);
    EXPECT_TRUE(opened) << opened.error().message;
    return std::move(*opened);
  }
  static Result<void> append(log::EventLog& log, Partition partition, const std::vector<std::string>& records) {
    log::Batch batch(partition);
    for (std::size_t i = 0; i < records.size(); ++i) batch.add(records[i], i);
    std::vector<log::Batch> batches;
    batches.push_back(std::move(batch));
    std::promise<Result<void>> done;
    log.append(std::move(batches), [&done](Result<void> result) { done.set_value(std::move(result)); });
    return done.get_future().get();
  }
  static std::vector<std::string> numbered(int from, int to) {
    std::vector<std::string> records;
    for (int i = from; i < to; ++i) records.push_back(fmt::format("record {}", i));
    return records;
  }
  /// Reads [from, to), as the loader does.
  static std::vector<std::string> read(log::EventLog& log, Partition partition, Offset from, Offset to) {
    std::vector<std::string> texts;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (from < to && std::chrono::steady_clock::now() < end) {
      const auto records = log.read(partition, from, to - from, 1 << 20);
      if (!records) {
        ADD_FAILURE() << records.error().message;
        return texts;
      }
      for (const auto record : records->records) texts.emplace_back(record);
      if (records->records.empty())
        (void)log.wait_for(partition, from, Millis(100));
      else
        from = records->first + records->records.size();
    }
    return texts;
  }

  static std::unique_ptr<testing::BrokerProcess> broker;
  KafkaLogOptions options;
};
std::unique_ptr<testing::BrokerProcess> KafkaLogTest::broker;

TEST_F(KafkaLogTest, reads_what_was_appended_in_order_and_again) {
  Notes notes;
  auto log = open();
  EXPECT_EQ(log->partitions(), 4U);
  log->follow(notes);
  ASSERT_TRUE(append(*log, 2, numbered(0, 5'000)));
  ASSERT_TRUE(append(*log, 2, numbered(5'000, 10'000)));
  EXPECT_EQ(read(*log, 2, 0, 10'000), numbered(0, 10'000));
  EXPECT_EQ(read(*log, 2, 4'000, 4'010), numbered(4'000, 4'010));  // Elsewhere, and the tip stays where it was.
  ASSERT_TRUE(append(*log, 2, {std::string("a\0b", 3)}));
  EXPECT_EQ(read(*log, 2, 10'000, 10'001), std::vector<std::string>{std::string("a\0b", 3)});
  EXPECT_TRUE(eventually([&] { return log->end(2) == 10'001; }));
  EXPECT_EQ(log->begin(2), 0U);
  log->unfollow();
}

TEST_F(KafkaLogTest, keeps_plan_and_progress_for_whoever_comes_next) {
  {
    Notes notes;
    auto log = open();
    log->follow(notes);
    ASSERT_TRUE(eventually([&] { return notes.ours().size() == 4; }));
    ASSERT_TRUE(append(*log, 1, numbered(0, 100)));
    EXPECT_EQ(log->progress(1)->next, 0U);
    ASSERT_TRUE(log->plan({{1, {0, 40}}, {3, {0, 7}}}, 0xABCDEF0123456789));
    EXPECT_EQ(log->progress(1)->plan, (log::Range{0, 40}));
    ASSERT_TRUE(log->confirm(3, 7));
    log->unfollow();
    EXPECT_TRUE(notes.ours().empty());
    EXPECT_EQ(notes.lost(), 0);
    EXPECT_FALSE(log->plan({{1, {40, 50}}}, 1));  // It has left.
  }
  Notes notes;
  auto log = open();
  log->follow(notes);
  ASSERT_TRUE(eventually([&] { return notes.ours().size() == 4; }));
  const auto progress = log->progress(1);
  ASSERT_TRUE(progress) << progress.error().message;
  EXPECT_EQ(progress->next, 0U);
  EXPECT_EQ(progress->plan, (log::Range{0, 40}));
  EXPECT_EQ(progress->planner, 0xABCDEF0123456789);
  EXPECT_EQ(log->progress(3)->next, 7U);
  EXPECT_FALSE(log->progress(3)->plan);
}

TEST_F(KafkaLogTest, shares_the_partitions_and_refuses_plans_for_those_of_others) {
  Notes of_first;
  Notes of_second;
  auto first = open();
  auto second = open();
  first->follow(of_first);
  ASSERT_TRUE(eventually([&] { return of_first.ours().size() == 4; }));
  second->follow(of_second);
  ASSERT_TRUE(eventually([&] { return of_first.ours().size() == 2 && of_second.ours().size() == 2; }));
  const Partition given = *of_second.ours().begin();
  const auto refused = first->plan({{given, {0, 1}}}, 1);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().action, Action::reject);
  EXPECT_TRUE(eventually([&] { return second->plan({{given, {0, 1}}}, 2).has_value(); }));
  EXPECT_TRUE(eventually([&] { return first->plan({{*of_first.ours().begin(), {0, 1}}}, 1).has_value(); }));
  second->unfollow();
  EXPECT_TRUE(eventually([&] { return of_first.ours().size() == 4; }));
  EXPECT_EQ(first->progress(given)->planner, 2U);
}

// A commit that waits at the broker behind the request to join is refused, and everything then counts as lost. One that
// is on its way at that very moment still may be, the more so the busier the machine is. So most rounds lose nothing;
// were commits not held back, hardly one would.
TEST_F(KafkaLogTest, holds_commits_back_while_the_group_joins) {
  constexpr int kLead = 2, kMostRounds = 12;
  Notes mine;
  auto log = open();
  log->follow(mine);
  ASSERT_TRUE(eventually([&] { return mine.ours().size() == 4; }));
  std::jthread committing([&](const std::stop_token& stop) {
    for (Offset next = 1; !stop.stop_requested(); ++next) {
      for (const Partition partition : mine.ours()) (void)log->confirm(partition, next);
      std::this_thread::sleep_for(Millis(50));
    }
  });
  int without_loss = 0, with_loss = 0;
  while (without_loss < with_loss + kLead && without_loss + with_loss < kMostRounds) {
    const auto before = mine.lost();
    Notes theirs;
    auto other = open();
    other->follow(theirs);
    ASSERT_TRUE(eventually([&] { return theirs.ours().size() == 2 && mine.ours().size() == 2; }));
    other->unfollow();
    ASSERT_TRUE(eventually([&] { return mine.ours().size() == 4; }));
    EXPECT_EQ(theirs.lost(), 0);
    ++(mine.lost() == before ? without_loss : with_loss);
  }
  EXPECT_EQ(without_loss, with_loss + kLead) << "of " << with_loss + without_loss << " rounds";
  committing.request_stop();
  committing.join();
  log->unfollow();
}

TEST_F(KafkaLogTest, keeps_its_partitions_over_a_restart_under_its_own_name) {
  options.instance = "loader-1";
  auto other_options = options;
  other_options.instance = "loader-2";
  Notes of_other;
  auto other = open_kafka_log(other_options);
  ASSERT_TRUE(other);
  (*other)->follow(of_other);
  std::set<Partition> before;
  {
    Notes notes;
    auto log = open();
    log->follow(notes);
    ASSERT_TRUE(eventually([&] { return notes.ours().size() == 2 && of_other.ours().size() == 2; }));
    before = notes.ours();
  }
  Notes notes;
  auto log = open();
  log->follow(notes);
  EXPECT_TRUE(eventually([&] { return notes.ours() == before; }));
  EXPECT_EQ(of_other.ours().size(), 2U);
  EXPECT_TRUE(eventually([&] { return log->plan({{*before.begin(), {0, 1}}}, 1).has_value(); }));
}

TEST_F(KafkaLogTest, says_that_there_is_no_topic_or_no_broker) {
  options.topic = "nobody-made-it";
  const auto no_topic = open_kafka_log(options);
  ASSERT_FALSE(no_topic);
  EXPECT_EQ(no_topic.error().action, Action::reject) << no_topic.error().message;
  options.cluster.brokers = "127.0.0.1:1";
  const auto no_broker = open_kafka_log(options, Millis(500));
  ASSERT_FALSE(no_broker);
  EXPECT_EQ(no_broker.error().action, Action::retry) << no_broker.error().message;
  options.cluster.properties["no.such.property"] = "1";
  const auto no_property = open_kafka_log(options, Millis(500));
  ASSERT_FALSE(no_property);
  EXPECT_NE(no_property.error().message.find("no.such.property"), std::string::npos);
}

TEST_F(KafkaLogTest, refuses_appends_while_the_broker_is_silent_and_takes_them_again) {
  options.acknowledge = Millis(1'500);
  options.max_pending_bytes = 200'000;
  auto log = open();
  ASSERT_TRUE(eventually([&] { return append(*log, 0, {"before"}).has_value(); }));  // A new broker takes its time.
  auto silence = broker->silence();
  const auto late = append(*log, 0, {"during"});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().action, Action::retry);
  // Bounded: what is beyond max_pending_bytes is refused at once.
  std::vector<std::future<Result<void>>> many;
  std::size_t refused_at_once = 0;
  for (int i = 0; i < 10; ++i) {
    log::Batch batch(0);
    batch.add(std::string(50'000, 'x'));
    std::vector<log::Batch> batches;
    batches.push_back(std::move(batch));
    auto done = std::make_shared<std::promise<Result<void>>>();
    many.push_back(done->get_future());
    log->append(std::move(batches), [done](Result<void> result) { done->set_value(std::move(result)); });
    if (many.back().wait_for(std::chrono::milliseconds(0)) == std::future_status::ready) ++refused_at_once;
  }
  EXPECT_GE(refused_at_once, 6U);
  for (auto& one : many) EXPECT_FALSE(one.get());
  silence.end();
  EXPECT_TRUE(eventually([&] { return append(*log, 0, {"after"}).has_value(); }));
}

TEST_F(KafkaLogTest, tells_how_every_partition_stands_to_who_reads_none) {
  const auto now = [] { return SystemClock().now().time_since_epoch().count(); };
  auto looker = open();
  const auto standing = [&](Partition partition) {
    const auto all = looker->standings();
    EXPECT_TRUE(all) << all.error().message;
    return all ? (*all)[partition] : log::Standing{};
  };
  ASSERT_TRUE(eventually([&] { return looker->standings().has_value(); }));
  EXPECT_EQ(looker->standings()->size(), 4U);
  EXPECT_EQ(standing(0).is_followed, false);
  EXPECT_EQ(standing(0).kept, log::Range{});
  EXPECT_FALSE(standing(0).waiting_since_ms);

  Notes notes;
  auto log = open();
  log->follow(notes);
  ASSERT_TRUE(eventually([&] { return notes.ours().size() == 4; }));
  // Each partition's first record lies in a batch that no small fetch holds.
  std::vector<std::int64_t> began(4);
  for (Partition p = 0; p < 4; ++p) {
    began[p] = now();
    ASSERT_TRUE(append(*log, p, std::vector<std::string>(3'000, std::string(200 + p, 'x'))));
  }
  for (Partition p = 0; p < 4; ++p) {
    ASSERT_TRUE(eventually([&] { return standing(p).is_followed == true; }));
    const auto seen = standing(p);
    EXPECT_EQ(seen.kept, (log::Range{0, 3'000}));
    EXPECT_EQ(seen.landed, 0U);
    ASSERT_TRUE(seen.waiting_since_ms) << p;
    EXPECT_GE(*seen.waiting_since_ms, began[p] - 1);
    EXPECT_LE(*seen.waiting_since_ms, now());
  }
  ASSERT_TRUE(log->confirm(1, 3'000));
  EXPECT_TRUE(eventually([&] { return standing(1).landed == 3'000; }));
  EXPECT_FALSE(standing(1).waiting_since_ms);
  // What came later is timed by its own record.
  ASSERT_TRUE(eventually([&] { return now() > *standing(0).waiting_since_ms + 1'000; }));
  const auto later = now();
  ASSERT_TRUE(append(*log, 1, {"late"}));
  ASSERT_TRUE(eventually([&] { return standing(1).waiting_since_ms.has_value(); }));
  EXPECT_GE(*standing(1).waiting_since_ms, later - 1);
  log->unfollow();
  EXPECT_TRUE(eventually([&] { return standing(2).is_followed == false; }));
}

TEST_F(KafkaLogTest, standings_of_a_silent_broker_are_an_error_that_may_pass) {
  auto log = open();
  ASSERT_TRUE(eventually([&] { return log->standings().has_value(); }));
  auto silence = broker->silence();
  const auto none = log->standings();
  silence.end();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().action, Action::retry);
  EXPECT_TRUE(eventually([&] { return log->standings().has_value(); }));
}

TEST_F(KafkaLogTest, keeps_trying_in_order_where_what_it_has_not_is_kept_elsewhere) {
  options.acknowledge = Millis(500);
  options.is_backed = true;
  auto log = open();
  ASSERT_TRUE(append(*log, 0, {"before"}));
  auto silence = broker->silence();
  std::vector<std::future<Result<void>>> all;
  for (int i = 0; i < 5; ++i) {
    log::Batch batch(0);
    batch.add(std::to_string(i));
    auto done = std::make_shared<std::promise<Result<void>>>();
    all.push_back(done->get_future());
    log->append({std::move(batch)}, [done](Result<void> result) { done->set_value(std::move(result)); });
  }
  EXPECT_EQ(all[0].wait_for(std::chrono::seconds(3)), std::future_status::timeout);
  silence.end();
  for (auto& one : all) EXPECT_TRUE(one.get());
  Notes notes;
  log->follow(notes);
  EXPECT_EQ(read(*log, 0, 0, 6), (std::vector<std::string>{"before", "0", "1", "2", "3", "4"}));
  log->unfollow();
}

TEST_F(KafkaLogTest, opens_without_brokers_where_the_partitions_are_known_from_before) {
  options.assumed_partitions = 4;
  broker->kill_now();
  auto opened = open_kafka_log(options, Millis(200));
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ((*opened)->partitions(), 4U);
  broker->start();
  EXPECT_TRUE(append(**opened, 3, {"after"}));
}

TEST_F(KafkaLogTest, judges_the_settings_of_topics) {
  const TopicWish wish{.name = "t", .partitions = 1, .replication = 1, .retention_ms = 1'000};
  TopicState good{.name = "t", .partitions = 1, .replication = 1, .settings = {}, .refusals = {}};
  good.settings = {{"cleanup.policy", "delete"},
                   {"retention.ms", "1000"},
                   {"retention.bytes", "-1"},
                   {"min.insync.replicas", "1"},
                   {"unclean.leader.election.enable", "false"}};
  EXPECT_TRUE(refusals(wish, good).empty());
  const auto with = [&](const char* name, const char* value) {
    auto changed = good;
    changed.settings[name] = value;
    return refusals(wish, changed).size();
  };
  EXPECT_EQ(with("cleanup.policy", "compact"), 1U);
  EXPECT_EQ(with("cleanup.policy", "compact,delete"), 1U);
  EXPECT_EQ(with("retention.ms", "999"), 1U);
  EXPECT_EQ(with("retention.ms", "-1"), 0U);
  EXPECT_EQ(with("retention.bytes", "1000000"), 1U);
  EXPECT_EQ(with("min.insync.replicas", "2"), 1U);
  EXPECT_EQ(with("unclean.leader.election.enable", "true"), 1U);
  auto three = good;
  three.replication = 3;
  EXPECT_EQ(refusals(wish, three).size(), 1U);  // With min.insync.replicas 1.
  auto compacted = wish;
  compacted.is_compacted = true;
  EXPECT_EQ(refusals(compacted, good).size(), 1U);

  const std::vector<TopicWish> wishes = {{.name = options.topic, .partitions = 4, .retention_ms = 86'400'000},
                                         {.name = options.topic + "-compact", .is_compacted = true},
                                         {.name = options.topic + "-none"}};
  ASSERT_EQ(make_topics(options.cluster, {wishes[0], wishes[1]}), 1U);
  const auto states = describe_topics(options.cluster, wishes);
  ASSERT_TRUE(states) << states.error().message;
  EXPECT_EQ((*states)[0].partitions, 4U);
  EXPECT_TRUE((*states)[0].refusals.empty()) << (*states)[0].refusals[0];
  EXPECT_EQ((*states)[1].settings.at("cleanup.policy"), "compact");
  EXPECT_EQ((*states)[2].partitions, 0U);
}

TEST(Progress, goes_into_metadata_and_back_and_nothing_else_does) {
  const log::Progress planned{7, log::Range{7, 90}, 0xFFFFFFFFFFFFFFFF};
  const auto read = parse_progress(7, metadata_of(planned));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->plan, planned.plan);
  EXPECT_EQ(read->planner, planned.planner);
  EXPECT_FALSE(parse_progress(7, "")->plan);
  for (const char* bad : {"plan 8-90 by 1", "plan 7-7 by 1", "plan 7-90", "plan 7-90 by ", "plan 7-90 by 1 ", "x",
                          "plan 7-99999999999999999999 by 1"}) {
    EXPECT_FALSE(parse_progress(7, bad)) << bad;
  }
}

}  // namespace
}  // namespace marquee::kafka
