// The relay, and readers of what transactions write, on a real broker.
#include "marquee/kafka/relay.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "broker_process.h"
#include "eventually.h"
#include "marquee/kafka/kafka_log.h"
#include "marquee/kafka/topics.h"
#include "transactions.h"

namespace marquee::kafka {
namespace {

using log::Offset;
using log::Partition;

/// Longer, as a transaction of another may have to time out first.
template <class Condition>
bool eventually_relayed(Condition condition) {
  return testing::eventually(condition, std::chrono::seconds(60));
}

/// A transactional producer in the raw, to leave things half done.
class Writer {
 public:
  Writer(const Cluster& cluster, const std::string& id) {
    auto conf = configuration(cluster, {{"transactional.id", id}, {"transaction.timeout.ms", "20000"}});
    EXPECT_TRUE(conf);
    auto handle = make_client(RD_KAFKA_PRODUCER, std::move(*conf));
    EXPECT_TRUE(handle);
    handle_ = std::move(*handle);
    EXPECT_EQ(rd_kafka_init_transactions(handle_.get(), 20'000), nullptr);
  }
  void begin() { EXPECT_EQ(rd_kafka_begin_transaction(handle_.get()), nullptr); }
  void put(const std::string& topic, Partition partition, const std::string& value, const std::string& key = "") {
    std::array<rd_kafka_vu_t, 5> parts{};
    parts[0].vtype = RD_KAFKA_VTYPE_TOPIC;
    parts[0].u.cstr = topic.c_str();
    parts[1].vtype = RD_KAFKA_VTYPE_PARTITION;
    parts[1].u.i32 = static_cast<std::int32_t>(partition);
    parts[2].vtype = RD_KAFKA_VTYPE_KEY;
    parts[2].u.mem = {const_cast<char*>(key.data()), key.size()};
    parts[3].vtype = RD_KAFKA_VTYPE_VALUE;
    parts[3].u.mem = {const_cast<char*>(value.data()), value.size()};
    parts[4].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    parts[4].u.i = RD_KAFKA_MSG_F_COPY;
    EXPECT_EQ(rd_kafka_produceva(handle_.get(), parts.data(), parts.size()), nullptr);
  }
  void flush() { EXPECT_EQ(rd_kafka_flush(handle_.get(), 20'000), RD_KAFKA_RESP_ERR_NO_ERROR); }
  void commit() { EXPECT_EQ(rd_kafka_commit_transaction(handle_.get(), 20'000), nullptr); }
  void abort() { EXPECT_EQ(rd_kafka_abort_transaction(handle_.get(), 20'000), nullptr); }

 private:
  Handle handle_;
};

/// Copies each message's value to the target, to the partition that its number says; "wait" waits while it is told to.
class Copy final : public RelayWork {
 public:
  Copy(std::string target, const std::atomic<bool>& waits) : target_(std::move(target)), waits_(waits) {}
  Result<void> make(const Incoming& message, std::vector<Outgoing>& out) override {
    const std::string value(message.value().value_or("none"));
    out.push_back({target_, message.partition(), "", value, {{"from", std::to_string(message.offset())}}});
    if (value == "wait" && waits_) return Error::retry("told to wait");
    if (value == "nothing") out.pop_back();
    return {};
  }
  void committed(Offset) override {}

 private:
  const std::string target_;
  const std::atomic<bool>& waits_;
};

class RelayTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { broker = std::make_unique<testing::BrokerProcess>(); }
  static void TearDownTestSuite() { broker.reset(); }

  void SetUp() override {
    static int count = 0;
    ++count;
    source = fmt::format("foreign-{}", count);
    target = fmt::format("events-{}", count);
    group = fmt::format("feed-{}", count);
    const auto made = make_topics(broker->cluster(), {{.name = source, .partitions = 3, .retention_ms = 86'400'000},
                                                      {.name = target, .partitions = 3, .retention_ms = 86'400'000}});
    ASSERT_TRUE(made) << made.error().message;
  }

  std::unique_ptr<Relay> relay(bool from_end = false) {
    RelayOptions options;
    options.cluster = broker->cluster();
    options.topic = source;
    options.group = group;
    options.session = Millis(6'000);
    options.from_end = from_end;
    options.make_work = [this](Partition) { return std::make_unique<Copy>(target, waits); };
    auto opened = open_relay(std::move(options));
    EXPECT_TRUE(opened) << opened.error().message;
    EXPECT_TRUE((*opened)->start());
    return std::move(*opened);
  }
  std::unique_ptr<log::EventLog> open_log() {
    KafkaLogOptions options;
    options.cluster = broker->cluster();
    options.topic = target;
    options.group = group + "-loaders";
    auto opened = open_kafka_log(options);
    EXPECT_TRUE(opened) << opened.error().message;
    return std::move(*opened);
  }
  void send(Partition partition, const std::vector<std::string>& values) {
    Writer writer(broker->cluster(), group + "-sender");
    writer.begin();
    for (const auto& value : values) writer.put(source, partition, value);
    writer.commit();
  }
  /// What is read of the target from `from` until `count` records have come, as the loader reads.
  static std::vector<std::string> read(log::EventLog& log, Partition partition, std::size_t count, Offset& from) {
    std::vector<std::string> texts;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (texts.size() < count && std::chrono::steady_clock::now() < end) {
      const auto records = log.read(partition, from, 1'000, 1 << 20);
      if (!records) {
        ADD_FAILURE() << records.error().message;
        break;
      }
      for (const auto record : records->records) texts.emplace_back(record);
      if (records->records.empty() && records->first == from) (void)log.wait_for(partition, from, Millis(100));
      from = records->first + records->records.size();
    }
    return texts;
  }

  struct Nobody final : log::Follower {
    void take(const std::vector<Partition>&) override {}
    void release(const std::vector<Partition>&, bool) override {}
  };

  static std::unique_ptr<testing::BrokerProcess> broker;
  std::atomic<bool> waits{false};
  std::string source, target, group;
  Nobody nobody;
};
std::unique_ptr<testing::BrokerProcess> RelayTest::broker;

using Texts = std::vector<std::string>;

TEST_F(RelayTest, readers_of_the_log_pass_what_transactions_leave_and_see_none_that_was_given_up) {
  auto log = open_log();
  log->follow(nobody);
  Writer writer(broker->cluster(), group);
  writer.begin();
  writer.put(target, 0, "one");
  writer.put(target, 0, "two");
  writer.commit();
  Offset next = 0;
  EXPECT_EQ(read(*log, 0, 2, next), (Texts{"one", "two"}));
  // The mark of the transaction is passed, so that nothing seems to wait.
  const auto arrives = [&](Offset end) {
    return eventually_relayed([&] {
      read(*log, 0, 0, next);
      const auto records = log->read(0, next, 10, 1'000);
      EXPECT_TRUE(records && records->records.empty());
      next = records->first;
      return next == end && log->end(0) == end;
    });
  };
  EXPECT_TRUE(arrives(3));
  writer.begin();
  writer.put(target, 0, "in vain");
  writer.flush();
  EXPECT_TRUE(eventually_relayed([&] { return log->end(0) == 4; }));  // It is written, and waits;
  EXPECT_TRUE(log->read(0, next, 10, 1'000)->records.empty());
  EXPECT_EQ(log->read(0, next, 10, 1'000)->first, 3U);  // nobody sees it,
  writer.abort();
  EXPECT_TRUE(arrives(5));  // and nobody ever will.
  writer.begin();
  writer.put(target, 0, "three");
  writer.commit();
  EXPECT_EQ(read(*log, 0, 1, next), Texts{"three"});
  // Recovery reads elsewhere than at the tip: the gap at the end of its range is passed as well.
  EXPECT_EQ(log->read(0, 1, 10, 1'000)->records.size(), 1U);
  const auto gap = log->read(0, 2, 10, 1'000);
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->first, 5U);
  EXPECT_EQ(gap->records.size(), 1U);
  EXPECT_TRUE(arrives(7));
  log->unfollow();
}

TEST_F(RelayTest, carries_each_message_once_and_goes_on_where_it_stopped) {
  send(0, {"a", "b", "nothing"});
  send(1, {"c"});
  auto log = open_log();
  log->follow(nobody);
  Offset next0 = 0;
  Offset next1 = 0;
  {
    auto running = relay();
    EXPECT_EQ(read(*log, 0, 2, next0), (Texts{"a", "b"}));
    EXPECT_EQ(read(*log, 1, 1, next1), (Texts{"c"}));
    // The marks of the sender's transactions are passed: nothing waits.
    EXPECT_TRUE(eventually_relayed([&] {
      const auto all = running->partitions();
      return all.size() == 3 && std::ranges::all_of(all, [](const auto& one) { return one.next == one.end; });
    }));
    running->stop();
  }
  send(0, {"d"});
  auto running = relay();
  EXPECT_EQ(read(*log, 0, 1, next0), Texts{"d"});
  EXPECT_TRUE(eventually_relayed([&] {
    const auto all = relay_standings(broker->cluster(), source, group);
    return all && (*all)[0].next == (*all)[0].end && (*all)[0].end == 6;
  }));
  running->stop();
  log->unfollow();
}

TEST_F(RelayTest, begins_at_the_end_where_it_is_told_to_and_misses_nothing_from_then_on) {
  send(0, {"old"});
  auto log = open_log();
  log->follow(nobody);
  {
    auto running = relay(/*from_end=*/true);
    EXPECT_TRUE(eventually_relayed([&] {
      const auto all = relay_standings(broker->cluster(), source, group);
      return all && (*all)[0].next == 2;  // Kept, though nothing was carried.
    }));
    running->stop();
  }
  send(0, {"between"});
  auto running = relay(/*from_end=*/true);
  Offset next = 0;
  EXPECT_EQ(read(*log, 0, 1, next), Texts{"between"});
  running->stop();
  log->unfollow();
}

TEST_F(RelayTest, ends_what_a_dead_owner_left_open_when_it_takes_its_place) {
  Writer dead(broker->cluster(), fmt::format("{}-{}-0", group, source));
  dead.begin();
  dead.put(target, 0, "half done");
  dead.flush();
  send(0, {"whole"});
  auto log = open_log();
  log->follow(nobody);
  const auto began = std::chrono::steady_clock::now();
  auto running = relay();
  Offset next = 0;
  EXPECT_EQ(read(*log, 0, 1, next), Texts{"whole"});
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(15));  // Its time would be up after 20.
  running->stop();
  log->unfollow();
}

TEST_F(RelayTest, asks_again_until_a_message_can_be_made) {
  waits = true;
  send(2, {"before", "wait", "after"});
  auto log = open_log();
  log->follow(nobody);
  auto running = relay();
  EXPECT_TRUE(eventually_relayed([&] {
    const auto all = running->partitions();
    return std::ranges::any_of(all, [](const auto& one) { return one.last_error == "told to wait"; });
  }));
  waits = false;
  Offset next = 0;
  EXPECT_EQ(read(*log, 2, 3, next), (Texts{"before", "wait", "after"}));
  EXPECT_TRUE(eventually_relayed([&] { return running->partitions()[2].last_error.empty(); }));
  running->stop();
  log->unfollow();
}

TEST_F(RelayTest, shares_partitions_that_come_and_go_and_carries_each_message_once) {
  std::set<std::string> sent;
  std::multiset<std::string> seen;
  auto log = open_log();
  log->follow(nobody);
  std::map<Partition, Offset> next;
  auto first = relay();
  std::vector<std::unique_ptr<Relay>> others;
  for (int round = 0; round < 6; ++round) {
    for (Partition p = 0; p < 3; ++p) {
      Texts values;
      for (int i = 0; i < 50; ++i) values.push_back(fmt::format("{}-{}-{}", round, p, i));
      sent.insert(values.begin(), values.end());
      send(p, values);
    }
    if (round % 2 == 0) {
      others.push_back(relay());
    } else {
      others.back()->stop();
      others.pop_back();
    }
  }
  for (Partition p = 0; p < 3; ++p) {
    for (const auto& text : read(*log, p, 300, next[p])) seen.insert(text);
  }
  EXPECT_EQ(seen, std::multiset<std::string>(sent.begin(), sent.end()));
  first->stop();
  log->unfollow();
}

}  // namespace
}  // namespace marquee::kafka
