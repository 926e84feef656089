#include "marquee/ingest/collector.h"

#include <gtest/gtest.h>

#include "marquee/event/event.h"
#include "marquee/http/client.h"
#include "marquee/ingest/rate_limiter.h"
#include "marquee/log/memory_log.h"

namespace marquee::ingest {
namespace {

constexpr const char* kEvent = R"([{"type":"click","session_id":"s","seq":1}])";

class CollectorTest : public ::testing::Test {
 protected:
  void start() {
    collector = std::make_unique<Collector>(options, *log, [this](std::string_view key) -> std::optional<WriteKey> {
      if (key != "mk_good") return std::nullopt;
      return owner;
    });
    http::Router router;
    collector->add_routes(router);
    server = std::make_unique<http::Server>(http::ServerOptions{}, std::move(router));
    ASSERT_TRUE(server->start());
    client = std::make_unique<http::Client>("http://127.0.0.1:" + std::to_string(server->port()));
  }

  http::Response post(std::string_view body, std::vector<std::pair<std::string, std::string>> fields = {},
                      std::string_view key = "mk_good") {
    http::Headers headers;
    if (!key.empty()) headers.add("Authorization", "Bearer " + std::string(key));
    for (auto& [name, value] : fields) headers.add(name, value);
    return client->send("POST", "/v1/events", headers, body).value();
  }

  std::vector<std::string> records() {
    std::vector<std::string> all;
    for (log::Partition p = 0; p < log->partitions(); ++p) {
      const auto read = log->read(p, 0, 1'000'000, 1 << 30);
      all.insert(all.end(), read->records.begin(), read->records.end());
    }
    return all;
  }

  std::string events(int count) {
    std::string body = "[";
    for (int i = 1; i <= count; ++i)
      body += (i > 1 ? "," : "") + std::string(R"({"type":"click","session_id":"s","seq":)") + std::to_string(i) + "}";
    return body + "]";
  }

  CollectorOptions options;
  WriteKey owner{.site_id = "campus"};
  std::unique_ptr<log::EventLog> log = log::open_memory_log(3);
  std::unique_ptr<Collector> collector;
  std::unique_ptr<http::Server> server;
  std::unique_ptr<http::Client> client;
};

TEST_F(CollectorTest, has_in_the_log_what_it_acknowledges) {
  start();
  const auto answer = post(events(500));
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.body, R"({"accepted":500,"rejected":[]})");
  const auto kept = records();
  ASSERT_EQ(kept.size(), 500U);
  for (const auto& record : kept) EXPECT_EQ(event::decode(record)->site_id, "campus");
}

TEST_F(CollectorTest, takes_each_coding_and_refuses_a_broken_one) {
  start();
  for (const char* coding : {"gzip", "zstd"}) {
    EXPECT_EQ(post(http::encode_body(kEvent, coding).value(), {{"Content-Encoding", coding}}).status, 200U);
    EXPECT_EQ(post("broken", {{"Content-Encoding", coding}}).status, 400U);
  }
  EXPECT_EQ(post(kEvent, {{"Content-Encoding", "br"}}).status, 400U);
}

TEST_F(CollectorTest, asks_for_a_key_that_it_knows) {
  start();
  EXPECT_EQ(post(kEvent, {}, "").status, 401U);
  EXPECT_EQ(post(kEvent, {}, "mk_wrong").status, 403U);
  EXPECT_EQ(client->send("POST", "/v1/beacon", {}, kEvent)->status, 401U);
  EXPECT_EQ(client->send("POST", "/v1/beacon?key=mk_good", {}, kEvent)->status, 204U);
  EXPECT_EQ(client->send("GET", "/v1/pixel?key=mk_good&type=impression&session_id=s&seq=9", {}, "")->status, 200U);
  EXPECT_EQ(client->send("GET", "/v1/pixel?key=mk_good&type=nothing", {}, "")->status, 422U);
  EXPECT_EQ(records().size(), 2U);
}

TEST_F(CollectorTest, bounds_bodies_events_and_bombs) {
  options.max_body_bytes = 10'000;
  options.max_events = 100;
  start();
  EXPECT_EQ(post(events(100)).status, 200U);
  EXPECT_EQ(post(events(101)).status, 413U);
  EXPECT_EQ(post(std::string(10'001, ' ')).status, 413U);
  const auto bomb = http::encode_body(std::string(1 << 20, ' '), "gzip").value();
  ASSERT_LT(bomb.size(), options.max_body_bytes);
  EXPECT_EQ(post(bomb, {{"Content-Encoding", "gzip"}}).status, 413U);
  EXPECT_EQ(records().size(), 100U);
}

TEST_F(CollectorTest, names_at_most_a_thousand_rejections) {
  start();
  std::string body = "[";
  for (int i = 0; i < 1500; ++i) body += std::string(i > 0 ? "," : "") + "{}";
  const auto answer = post(body + "]");
  EXPECT_EQ(answer.status, 422U);
  EXPECT_NE(answer.body.find(R"("rejected_not_named":500)"), std::string::npos);
}

TEST_F(CollectorTest, tells_senders_that_are_too_fast_how_long_to_wait) {
  options.key_events_per_second = 100;
  start();
  EXPECT_EQ(post(events(350)).status, 200U);  // A debt of some two and a half seconds.
  const auto refused = post(kEvent);
  EXPECT_EQ(refused.status, 429U);
  const auto wait = std::stoi(std::string(refused.headers.get("Retry-After")));
  EXPECT_GE(wait, 2);
  EXPECT_LE(wait, 4);
  EXPECT_EQ(records().size(), 350U);
}

TEST_F(CollectorTest, limits_addresses_but_not_those_of_servers) {
  options.address_events_per_second = 10;
  start();
  EXPECT_EQ(post(events(50)).status, 200U);
  EXPECT_EQ(post(kEvent).status, 429U);
  owner.trusted = true;
  EXPECT_EQ(post(kEvent).status, 200U);
}

TEST_F(CollectorTest, answers_browsers_of_the_sites_origins_only) {
  owner.allowed_origin = "https://a.example, https://b.example";
  start();
  const auto allowed = post(kEvent, {{"Origin", "https://b.example"}});
  EXPECT_EQ(allowed.status, 200U);
  EXPECT_EQ(allowed.headers.get("Access-Control-Allow-Origin"), "https://b.example");
  EXPECT_EQ(post(kEvent, {{"Origin", "https://evil.example"}}).status, 403U);
  EXPECT_EQ(post(kEvent, {{"Origin", "https://b.example.evil"}}).status, 403U);
  http::Headers origin;
  origin.add("Origin", "https://a.example");
  const auto preflight = client->send("OPTIONS", "/v1/events", origin, "").value();
  EXPECT_EQ(preflight.status, 204U);
  EXPECT_NE(preflight.headers.get("Access-Control-Allow-Headers").find("authorization"), std::string_view::npos);
}

TEST_F(CollectorTest, lets_a_page_of_another_origin_see_that_it_is_refused) {
  start();
  for (const auto& [key, status] : {std::pair("", 401U), std::pair("mk_unknown", 403U)}) {
    const auto refused = post(kEvent, {{"Origin", "https://a.example"}}, key);
    EXPECT_EQ(refused.status, status);
    EXPECT_EQ(refused.headers.get("Access-Control-Allow-Origin"), "https://a.example");
  }
}

TEST_F(CollectorTest, keeps_nothing_of_what_the_log_does_not_take) {
  start();
  log->close();
  const auto answer = post(kEvent);
  EXPECT_EQ(answer.status, 503U);
  EXPECT_FALSE(answer.headers.get("Retry-After").empty());
  EXPECT_TRUE(records().empty());
}

TEST(RateLimiter, keeps_the_average_and_forgives_a_burst_of_a_second) {
  RateLimiter limiter;
  auto now = RateLimiter::Clock::time_point{} + std::chrono::hours(1);
  double sent = 0;
  for (int i = 0; i < 10'000; ++i, now += std::chrono::milliseconds(10)) {
    if (limiter.wait_seconds("key", 50, now) > 0) continue;
    limiter.charge("key", 50, 7, now);
    sent += 7;
  }
  EXPECT_NEAR(sent, 50 * 100 + 50, 60);
  EXPECT_EQ(limiter.wait_seconds("other", 50, now), 0U);
  EXPECT_EQ(limiter.wait_seconds("key", 0, now), 0U);
}

}  // namespace
}  // namespace marquee::ingest
