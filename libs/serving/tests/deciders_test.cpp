// Several decision servers over the same logs.
#include <gtest/gtest.h>

#include <deque>

#include "marquee/serving/fellow_watch.h"
#include "serving_fixture.h"

namespace marquee::serving {
namespace {

using decision::Fellows;

template <class Condition>
void spin_until(Condition condition) {
  while (!condition()) std::this_thread::yield();
}

class DecidersTest : public ServingTest {
 protected:
  ~DecidersTest() override { client.reset(); }

  struct Node {
    decision::SharedFellows fellows{Fellows{}};
    std::unique_ptr<Sites> sites;
    std::unique_ptr<DecisionServer> server;
    std::unique_ptr<http::Server> http;
    void kill() {
      http.reset();
      server.reset();
      sites.reset();
    }
    decision::Decider& decider() { return sites->at("campus"); }
    std::uint64_t reserved(std::int64_t now) { return decider().account("a").reserved(now); }
    std::uint64_t counted() { return decider().account("a").state().whole.impressions; }
  };

  void start(Node& node, const decision::Campaign& one) {
    node.sites = std::make_unique<Sites>(uniform, kImpressionLife, &node.fellows);
    node.decider().use(decision::Inventory::compile({one}, {{.id = "top"}}, {.version = 1}));
    node.server = std::make_unique<DecisionServer>(
        ServingOptions{.hash_key = {1}, .token_key = {2}, .clock = clock, .metrics = {}}, *node.sites,
        ServingLogs{*events, *decisions, *events, *decisions, /*are_shared=*/true},
        [this](std::string_view key) { return find_key(key); });
    node.server->start(directory + "/counts" + std::to_string(++files_));
    http::Router router;
    node.server->add_routes(router);
    node.http = std::make_unique<http::Server>(http::ServerOptions{}, std::move(router));
    ASSERT_TRUE(node.http->start());
    spin_until([&] { return node.server->is_ready(); });
  }

  /// From now on it is asked.
  void ask_at(const Node& node) {
    client = std::make_unique<http::Client>("http://127.0.0.1:" + std::to_string(node.http->port()));
  }
  std::vector<Served> ask_for_all(const Node& node, std::string_view user = "") {
    ask_at(node);
    std::vector<Served> all;
    for (;;) {
      auto one = ask_user(user.empty() ? "u" + std::to_string(all.size()) : std::string(user));
      if (one.ad.empty()) return all;
      all.push_back(std::move(one));
    }
  }
  [[nodiscard]] std::int64_t now() const { return clock->now().time_since_epoch().count(); }

  std::deque<Node> nodes = std::deque<Node>(2);

 private:
  int files_ = 0;
};

TEST_F(DecidersTest, what_one_took_and_counted_the_other_knows) {
  auto one = campaign("a", 2);
  one.total.impressions = 6;
  for (auto& node : nodes) start(node, one);
  auto& first = nodes[0];
  auto& second = nodes[1];
  const auto shown = ask_for_all(first);
  ASSERT_EQ(shown.size(), 6U);
  spin_until([&] { return second.reserved(now()) == 6; });
  EXPECT_EQ(ask_for_all(second).size(), 0U);
  for (const auto& each : shown) EXPECT_EQ(get(each.impression).status, 200U) << "its impression may come to another";
  for (const auto& each : shown) EXPECT_EQ(get(each.impression).status, 200U);
  for (auto& node : nodes) {
    spin_until([&] { return node.counted() == 6; });
    EXPECT_EQ(node.reserved(now()), 0U);
  }
  EXPECT_EQ(logged_events().size(), 6U);
}

TEST_F(DecidersTest, what_is_left_is_divided_before_they_hear_of_each_other) {
  auto one = campaign("a", 2);
  one.total.impressions = 7;
  one.daily.impressions = 100;
  nodes[0].fellows = Fellows{.count = 2, .index = 0};
  nodes[1].fellows = Fellows{.count = 2, .index = 1};
  for (auto& node : nodes) start(node, one);
  const auto of_first = ask_for_all(nodes[0]).size(), of_second = ask_for_all(nodes[1]).size();
  EXPECT_LE(of_first + of_second, 7U + 3U) << "half of what was left";
  EXPECT_GE(of_first + of_second, 6U);
}

TEST_F(DecidersTest, a_user_who_has_seen_enough_at_one_has_at_the_other) {
  auto one = campaign("a", 1);
  one.caps = {{.scope = decision::CapScope::campaign, .count = 2, .window_ms = 3'600'000}};
  for (auto& node : nodes) start(node, one);
  EXPECT_EQ(ask_for_all(nodes[0], "u").size(), 2U);
  spin_until([&] { return nodes[1].reserved(now()) == 2; });
  EXPECT_EQ(ask_for_all(nodes[1], "u").size(), 0U);
  EXPECT_EQ(ask_for_all(nodes[1], "v").size(), 2U);
}

TEST_F(DecidersTest, one_that_comes_back_knows_what_all_have_taken_meanwhile) {
  auto one = campaign("a", 2);
  one.total.impressions = 6;
  one.caps = {{.scope = decision::CapScope::campaign, .count = 1, .window_ms = 3'600'000}};
  for (auto& node : nodes) start(node, one);
  ask_at(nodes[0]);
  ASSERT_FALSE(ask_user("own").ad.empty());
  nodes[0].kill();
  ask_at(nodes[1]);
  for (const auto* user : {"a", "b", "c"}) ASSERT_FALSE(ask_user(user).ad.empty());
  const auto seen = ask_user("d");
  EXPECT_EQ(get(seen.impression).status, 200U);
  start(nodes[0], one);
  spin_until([&] { return nodes[0].reserved(now()) + nodes[0].counted() == 5; });
  ask_at(nodes[0]);
  for (const auto* user : {"own", "a", "d"}) EXPECT_TRUE(ask_user(user).ad.empty()) << user;
  EXPECT_FALSE(ask_user("e").ad.empty());
  EXPECT_TRUE(ask_user("f").ad.empty()) << "the sixth was the last";
}

TEST(FellowWatch, hears_who_comes_and_who_goes) {
  const auto log = log::open_memory_log(1);
  decision::SharedFellows of_first{Fellows{}}, of_second{Fellows{}};
  FellowWatch first(*log, of_first, nullptr);
  EXPECT_FALSE(first.is_known()) << "before it has begun";
  first.start();
  spin_until([&] { return first.is_known(); });
  {
    FellowWatch second(*log, of_second, nullptr);
    second.start();
    spin_until([&] { return second.is_known(); });
    EXPECT_EQ(of_second.load().count, 2U) << "it knows of all before it is known to be of use";
    spin_until([&] { return of_first.load().count == 2; });
    EXPECT_EQ(of_first.load().index + of_second.load().index, 1U);
  }
  spin_until([&] { return of_first.load().count == 1; });
  EXPECT_EQ(of_first.load().index, 0U);
}

TEST(FellowWatch, does_not_count_on_being_known_where_its_log_takes_nothing) {
  RefusingLog log;
  decision::SharedFellows fellows{Fellows{}};
  FellowWatch watch(log, fellows, nullptr);
  watch.start();
  spin_until([&] { return log.asked > 2; });
  EXPECT_FALSE(watch.is_known());
}

}  // namespace
}  // namespace marquee::serving
