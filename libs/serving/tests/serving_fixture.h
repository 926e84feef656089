// A decision server over logs in memory, asked through HTTP.
#pragma once

#include <gtest/gtest.h>
#include <simdjson.h>

#include <unistd.h>
#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "marquee/event/event.h"
#include "marquee/http/client.h"
#include "marquee/log/memory_log.h"
#include "marquee/serving/decision_server.h"

namespace marquee::serving {

/// The log of a process that can no longer be asked: it takes nothing.
class RefusingLog final : public log::EventLog {
 public:
  log::Partition partitions() const override { return 1; }
  void append(std::vector<log::Batch>, log::Appended done) override {
    ++asked;
    done(is_refusing ? Result<void>(Error::retry("full")) : Result<void>());
  }
  void follow(log::Follower&) override {}
  void unfollow() override {}
  Result<log::Records> read(log::Partition, log::Offset, std::size_t, std::size_t) override { return log::Records{}; }
  bool wait_for(log::Partition, log::Offset, Millis) override { return false; }
  log::Offset begin(log::Partition) const override { return 0; }
  log::Offset end(log::Partition) const override { return 0; }
  Result<log::Offset> offset_at(log::Partition, WallTime) override { return log::Offset{0}; }
  Result<log::Progress> progress(log::Partition) override { return log::Progress{}; }
  Result<void> plan(const std::vector<log::Plan>&, std::uint64_t) override { return {}; }
  Result<void> confirm(log::Partition, log::Offset) override { return {}; }
  Result<std::vector<log::Standing>> standings() override { return std::vector<log::Standing>{}; }
  void close() override {}
  bool is_refusing = true;
  std::atomic<int> asked = 0;
};

class ServingTest : public ::testing::Test {
 protected:
  ServingTest() : directory("/tmp/serving-test-" + std::to_string(::getpid())) {
    std::filesystem::remove_all(directory);
    std::filesystem::create_directories(directory);
  }
  ~ServingTest() override {
    end();
    std::filesystem::remove_all(directory);
  }

  static decision::Campaign campaign(std::string id, std::size_t ads, decision::Tier tier = decision::Tier::standard) {
    decision::Campaign one{.id = id, .status = decision::Status::active, .tier = tier};
    one.pacing = decision::Pacing::none;
    for (std::size_t i = 0; i < ads; ++i) {
      decision::Ad ad{.id = id + std::to_string(i)};
      ad.creative.landing_url = "https://example.org/" + ad.id;
      ad.creative.fields = R"({"title":"T"})";
      one.ads.push_back(ad);
    }
    return one;
  }

  /// Also after end(): a process that begins again with what the logs and the file have.
  void begin(std::vector<decision::Campaign> campaigns) {
    sites = std::make_unique<Sites>(*ranker_in_use, kImpressionLife);
    sites->at("campus").use(
        decision::Inventory::compile(std::move(campaigns), {{.id = "top"}, {.id = "side"}}, {.version = 7}));
    server = std::make_unique<DecisionServer>(
        ServingOptions{.hash_key = {1},
                       .token_key = {2},
                       .address_requests_per_second = address_requests_per_second,
                       .profiles = profiles,
                       .segments = segments,
                       .clusters = &clusters,
                       .explanations = explanations,
                       .live_segments = &live_segments,
                       .clock = clock,
                       .metrics = metrics},
        *sites, ServingLogs{*events, refusing ? *refusing : *decisions, *events, *decisions},
        [this](std::string_view key) { return find_key(key); });
    server->start(directory + "/counts");
    http::Router router;
    server->add_routes(router);
    http = std::make_unique<http::Server>(http::ServerOptions{}, std::move(router));
    ASSERT_TRUE(http->start());
    client = std::make_unique<http::Client>("http://127.0.0.1:" + std::to_string(http->port()));
    // Until it has read the logs it serves nothing; of a site that is not there it says so.
    while (post(R"({"placements":[{"slot_id":"no such"}]})", "server").body.find("not_ready") != std::string::npos)
      std::this_thread::yield();
  }

  std::optional<ingest::WriteKey> find_key(std::string_view key) const {
    auto found = owner;
    found.trusted = key == "server";
    const bool is_known = found.trusted || key == "page" || (!demo_key.empty() && key == demo_key);
    return is_known ? std::optional(found) : std::nullopt;
  }

  void end() {
    client.reset();
    http.reset();
    server.reset();
    sites.reset();
  }

  static constexpr const char* kBrowser = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";

  http::Response post(std::string_view body, std::string key = "page",
                      std::vector<std::pair<std::string, std::string>> fields = {}) {
    http::Headers headers;
    headers.add("Authorization", "Bearer " + key);
    headers.add("User-Agent", kBrowser);
    for (auto& [name, value] : fields) headers.add(name, value);
    return client->send("POST", "/v1/decisions", headers, body).value();
  }

  http::Response get(std::string_view target, std::string agent = kBrowser, const std::string& key = "") {
    http::Headers headers;
    headers.add("User-Agent", agent);
    if (!key.empty()) headers.add("Authorization", "Bearer " + key);
    return client->send("GET", target, headers, "").value();
  }

  struct Served {
    std::string ad, impression, click, because, decision, policy;
    double propensity = 0;
  };
  std::vector<Served> served(const http::Response& response) {
    EXPECT_EQ(response.status, 200U) << response.body;
    simdjson::dom::parser parser;
    const simdjson::dom::element root = parser.parse(response.body);
    std::vector<Served> all;
    for (const simdjson::dom::element one : root["placements"].get_array()) {
      Served placement;
      placement.decision = std::string(root["decision_id"].get_string().value());
      placement.policy = std::string(root["policy"].get_string().value_unsafe());
      std::string_view text;
      if (one["ad"]["id"].get(text) == simdjson::SUCCESS) placement.ad = text;
      if (one["impression_url"].get(text) == simdjson::SUCCESS) placement.impression = text;
      if (one["click_url"].get(text) == simdjson::SUCCESS) placement.click = text;
      if (one["because"].get(text) == simdjson::SUCCESS) placement.because = text;
      if (double number = 0; one["propensity"].get(number) == simdjson::SUCCESS) placement.propensity = number;
      all.push_back(placement);
    }
    return all;
  }
  std::vector<Served> ask(std::string_view body) { return served(post(body)); }
  Served ask_user(const std::string& user) {
    return ask(R"({"placements":[{"slot_id":"top"}],"consent":"full","age":20,"user_id":")" + user + "\"}").at(0);
  }

  /// All events so far. Text borrows from what stays with the test.
  std::vector<event::Event> logged_events() {
    std::vector<event::Event> all;
    for (log::Partition p = 0; p < events->partitions(); ++p) {
      kept.push_back(std::make_unique<log::Records>(std::move(*events->read(p, 0, 1'000'000, 1 << 30))));
      for (const auto record : kept.back()->records) all.push_back(event::decode(record).value());
    }
    return all;
  }

  double metric(const std::string& line) {
    const auto text = metrics::render(*metrics);
    const auto at = text.find("\n" + line + " ");
    return at == std::string::npos ? 0 : std::stod(text.substr(at + 1 + line.size()));
  }

  const std::string directory;
  double address_requests_per_second = 0;
  ingest::WriteKey owner{.site_id = "campus"};
  std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>(WallTime(Millis(1'735'689'600'000)));
  std::shared_ptr<metrics::Registry> metrics = std::make_shared<metrics::Registry>();
  std::unique_ptr<log::EventLog> events = log::open_memory_log(2), decisions = log::open_memory_log(1),
                                 versions = log::open_memory_log(1);
  std::unique_ptr<RefusingLog> refusing;
  decision::UniformRanker uniform;
  const decision::Ranker* ranker_in_use = &uniform;
  const profile::Profiles* profiles = nullptr;
  const profile::SegmentMemberships* segments = nullptr;
  learning::Published<profile::NamedClusters> clusters;
  Explanations* explanations = nullptr;
  std::string demo_key;  ///< A page's as well, if there is one.
  learning::Published<LiveSegments> live_segments;
  std::unique_ptr<Sites> sites;
  std::unique_ptr<DecisionServer> server;
  std::unique_ptr<http::Server> http;
  std::unique_ptr<http::Client> client;
  std::vector<std::unique_ptr<log::Records>> kept;
};

}  // namespace marquee::serving
