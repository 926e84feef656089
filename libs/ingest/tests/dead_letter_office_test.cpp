// Looking at dead letters and replaying them, with the real engine.
#include "marquee/ingest/dead_letter_office.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <thread>

#include "../../clickhouse/tests/store_process.h"
#include "loader_test_events.h"
#include "marquee/clickhouse/migrations.h"
#include "marquee/ingest/loader.h"
#include "marquee/ingest/rollup.h"
#include "marquee/log/memory_log.h"

namespace marquee::ingest {
namespace {

using clickhouse::testing::StoreProcess;
using testing::append;
using testing::encoded;
using testing::eventually;
using testing::kNewYear;
using testing::make_event;

class DeadLetterOfficeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (clickhouse::testing::store_binary().empty()) GTEST_SKIP() << clickhouse::testing::why_no_store();
    store = std::make_unique<StoreProcess>();
    clickhouse::Endpoint endpoint;
    endpoint.url = store->url();
    client = std::make_unique<clickhouse::Client>(endpoint);
    ASSERT_TRUE(clickhouse::migrate_up(*client, clickhouse::built_in_migrations()));
    log = log::open_memory_log(3);
    loader_options.linger_ms = 2;
    loader_options.topic = "site.events";
    options.topic = "site.events";
    options.consent_required = [](std::string_view site) {
      return site == "campus" ? std::optional(false) : site == "strict" ? std::optional(true) : std::nullopt;
    };
  }
  void TearDown() override { loader.reset(); }
  void start() {
    loader = std::make_unique<Loader>(loader_options, *log, *client);
    loader->start();
    office = std::make_unique<DeadLetterOffice>(options, *client, *log);
  }
  void expect_landed() {
    ASSERT_TRUE(eventually(
        [this] {
          for (log::Partition p = 0; p < log->partitions(); ++p) {
            const auto progress = log->progress(p);
            if (!progress || progress->plan || progress->next != log->end(p)) return false;
          }
          return true;
        },
        std::chrono::seconds(120)))
        << loader->status().last_error;
  }
  [[nodiscard]] std::string ask(const std::string& sql) {
    const auto table = client->table(sql);
    return table ? fmt::format("{}", fmt::join(table->rows.at(0), " ")) : table.error().message;
  }
  [[nodiscard]] std::string events() { return ask("SELECT count() FROM marquee.events"); }
  ReplayReport replay(ReplayOrder order = {}) {
    auto report = office->replay(order);
    EXPECT_TRUE(report) << report.error().message;
    return report ? *report : ReplayReport{};
  }
  LetterPage list() {
    auto page = office->list({}, std::nullopt, "", 100);
    EXPECT_TRUE(page) << page.error().message;
    return page ? *page : LetterPage{};
  }

  std::unique_ptr<StoreProcess> store;
  std::unique_ptr<clickhouse::Client> client;
  std::unique_ptr<log::EventLog> log;
  LoaderOptions loader_options;
  DeadLetterOptions options;
  std::unique_ptr<Loader> loader;
  std::unique_ptr<DeadLetterOffice> office;
};

TEST_F(DeadLetterOfficeTest, reads_letters_of_other_topics_by_their_own_rule) {
  options.readers["orders"] = [](const DeadLetter& letter) -> Result<std::string> {
    if (!letter.bytes.starts_with("order ")) return Error::reject("no order");
    event::Event event;
    event.site_id = "campus";
    event.type = event::Type::conversion;
    event.event_time_ms = event.received_time_ms = kNewYear;
    return encoded(event);
  };
  start();
  // Two of the same bytes: what they are known by is where they come from.
  ASSERT_TRUE(client->execute(
      "INSERT INTO marquee.dead_letters (source_topic, log_partition, log_offset, reason, bytes, received_time) VALUES "
      "('orders', 0, 1, 'old schema', 'order 1', now64(3)), ('orders', 0, 2, 'old schema', 'order 1', now64(3)), "
      "('orders', 1, 1, 'old schema', 'none', now64(3)), ('unknown', 0, 1, 'old schema', 'order 2', now64(3))"));
  const auto report = replay();
  EXPECT_EQ(report.tried, 4U);
  EXPECT_EQ(report.replayed, 2U);
  ASSERT_EQ(report.unreadable.size(), 2U);
  expect_landed();
  EXPECT_EQ(ask("SELECT count(), uniqExact(external_id), min(external_id) FROM marquee.events"),
            "2 2 dead-letter:orders/0/1");
  EXPECT_EQ(replay().tried, 2U);
}

TEST_F(DeadLetterOfficeTest, reads_json_that_somebody_wrote_under_the_rules_of_its_site) {
  append(*log, 1,
         {R"({"type":"search","site_id":"strict","session_id":"s","seq":1,"user_id":"u","search_query":"private"})",
          R"({"type":"search","site_id":"nowhere","session_id":"s","seq":1})",
          "{\"type\":\"click\",\"site_id\":\"campus\",\"session_id\":\"s\",\"seq\":2}\n{}", R"([{"type":"click"}])"});
  start();
  expect_landed();
  const auto report = replay();
  EXPECT_EQ(report.replayed, 1U);
  std::multiset<std::string> reasons;
  for (const auto& one : report.unreadable) reasons.insert(one.reason);
  EXPECT_EQ(reasons, (std::multiset<std::string>{"an event of unknown version 123", "an event of unknown version 91",
                                                 "site_id: there is no site nowhere"}));
  expect_landed();
  EXPECT_EQ(ask("SELECT site_id, user_key, search_query FROM marquee.events"), "strict 0 ");
}

TEST_F(DeadLetterOfficeTest, marks_what_the_store_holds_already_instead_of_sending_it) {
  // The sender mended it himself, long ago.
  append(*log, 0, {encoded(make_event(7, 1))});
  start();
  expect_landed();
  const auto bytes = encoded(make_event(7, 1));
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  ASSERT_TRUE(
      client->execute(fmt::format("INSERT INTO marquee.dead_letters VALUES ('site.events', 2, 9, 1, 'refused', "
                                  "unhex('{}'), now64(3))",
                                  hex)));
  const auto end = log->end(0) + log->end(1) + log->end(2);
  const auto report = replay();
  EXPECT_EQ(report.already_counted, 1U);
  EXPECT_EQ(report.replayed, 0U);
  EXPECT_EQ(log->end(0) + log->end(1) + log->end(2), end);
  EXPECT_TRUE(list().letters.at(0).replayed_ms);
}

TEST_F(DeadLetterOfficeTest, keeps_the_mark_of_a_letter_that_is_written_again_and_knows_one_of_a_new_log) {
  start();
  append(*log, 0, {R"({"type":"click","site_id":"campus","session_id":"s","seq":1})", "broken"});
  expect_landed();
  EXPECT_EQ(replay().replayed, 1U);
  expect_landed();
  ASSERT_TRUE(client->execute(
      "INSERT INTO marquee.dead_letters SELECT * REPLACE (now64(3) AS received_time) FROM marquee.dead_letters"));
  EXPECT_EQ(list().count, 2U);
  EXPECT_EQ(list().unreplayed, 1U);
  EXPECT_EQ(replay().replayed, 0U);
  // The log was made anew: the same offset is another record.
  loader.reset();
  log = log::open_memory_log(3);
  append(*log, 0, {R"({"type":"click","site_id":"campus","session_id":"s","seq":2})"});
  start();
  expect_landed();
  EXPECT_EQ(list().count, 3U);
  EXPECT_EQ(replay().replayed, 1U);
  expect_landed();
  EXPECT_EQ(events(), "2");
}

TEST_F(DeadLetterOfficeTest, counts_once_what_several_replay_at_the_same_time) {
  std::vector<std::string> records;
  for (int n = 1; n <= 200; ++n)
    records.push_back(fmt::format(R"({{"type":"click","site_id":"campus","session_id":"s{}","seq":1}})", n));
  append(*log, 2, records);
  start();
  expect_landed();
  std::vector<std::unique_ptr<DeadLetterOffice>> offices;
  for (int i = 0; i < 4; ++i) offices.push_back(std::make_unique<DeadLetterOffice>(options, *client, *log));
  {
    std::vector<std::jthread> threads;
    for (auto& one : offices) threads.emplace_back([&one] { EXPECT_TRUE(one->replay({})); });
  }
  expect_landed();
  EXPECT_EQ(events(), "200");
  EXPECT_EQ(list().unreplayed, 0U);
}

TEST_F(DeadLetterOfficeTest, says_that_the_log_is_full_and_sends_the_same_letters_later) {
  append(*log, 0, {R"({"type":"click","site_id":"campus","session_id":"s","seq":1})"});
  start();
  expect_landed();
  loader.reset();
  log->close();
  const auto refused = office->replay({});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().action, Action::retry);
  EXPECT_EQ(list().unreplayed, 1U);
  log = log::open_memory_log(3);
  start();
  EXPECT_EQ(replay().replayed, 1U);
  expect_landed();
  EXPECT_EQ(events(), "1");
}

TEST_F(DeadLetterOfficeTest, lands_or_buries_whatever_a_record_holds) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr std::array values = {0.0, -1e12, 1e12, 1e300, kNan, kInfinity, -kInfinity};
  constexpr std::array<std::int64_t, 7> times = {0,
                                                 -1,
                                                 kNewYear,
                                                 event::kLatestMs - 1,
                                                 event::kLatestMs,
                                                 std::numeric_limits<std::int64_t>::max(),
                                                 std::numeric_limits<std::int64_t>::min()};
  using namespace std::string_view_literals;
  constexpr std::array texts = {""sv,      "law"sv,           "\xFF\xFE"sv,  "a\0b"sv,
                                "' \\ "sv, "{\"a\":1e400}"sv, "{\"a\":1}"sv, "not json"sv};
  const auto any = [&random](const auto& list) { return list[random() % list.size()]; };
  std::vector<std::string> records;
  for (std::uint32_t n = 1; n <= 1'500; ++n) {
    auto event = make_event(n, n, kNewYear + n);
    if (random() % 4 == 0) event.value = any(values);
    if (random() % 4 == 0) event.propensity = static_cast<float>(any(values));
    if (random() % 4 == 0) event.event_time_ms = any(times);
    if (random() % 4 == 0) event.received_time_ms = any(times);
    if (random() % 4 == 0) event.search_query = any(texts);
    if (random() % 4 == 0) event.ad_id = any(texts);
    if (random() % 4 == 0) event.site_id = any(texts);
    if (random() % 30 == 0) event.props = any(texts);
    if (random() % 4 == 0) event.slot_x = static_cast<std::uint16_t>(random());
    if (random() % 4 == 0) event.user_key = random();
    std::string record = encoded(event);
    if (random() % 10 == 0) record[random() % record.size()] = static_cast<char>(random());
    if (random() % 20 == 0) record.resize(random() % record.size());
    records.push_back(std::move(record));
  }
  append(*log, 0, records);
  start();
  expect_landed();
  const auto status = loader->status();
  EXPECT_EQ(status.events_landed + status.dead_letters + status.repeats_dropped, records.size());
  EXPECT_GT(status.dead_letters, 100U);
  EXPECT_EQ(events(), std::to_string(status.events_landed));
  EXPECT_EQ(list().count, status.dead_letters);
  const auto differences = rollup_differences(*client);
  ASSERT_TRUE(differences) << differences.error().message;
  EXPECT_TRUE(differences->empty()) << fmt::format("{}", fmt::join(*differences, "\n"));
}

}  // namespace
}  // namespace marquee::ingest
