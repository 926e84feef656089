// Journeys over a real store: what they answer is what the events answer, whatever happens to these.
#include "marquee/analytics/journeys.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "../../clickhouse/tests/store_process.h"
#include "journey_rows.h"
#include "marquee/analytics/funnel.h"
#include "marquee/clickhouse/migrations.h"
#include "query.h"

namespace marquee::analytics {
namespace {

constexpr std::int64_t kFirstJourneyDay = 20'500 * kDay;  // 2026-02-16
constexpr int kJourneyDays = 5;
const std::vector<std::string> kJourneyTypes = {"page_view", "search",      "impression",
                                                "click",     "course_view", "conversion"};

class Journeys : public ::testing::Test {
 protected:
  void SetUp() override {
    if (clickhouse::testing::store_binary().empty()) GTEST_SKIP() << clickhouse::testing::why_no_store();
    seed_ = std::random_device()();
    if (const char* seed = std::getenv("SEED")) seed_ = static_cast<std::uint32_t>(std::stoul(seed));
    draw_.seed(seed_);
    SCOPED_TRACE(seed_);
    std::printf("SEED=%u\n", seed_);
    store_ = std::make_unique<clickhouse::testing::StoreProcess>();
    connect();
    const auto applied = clickhouse::migrate_up(*client_, clickhouse::built_in_migrations());
    ASSERT_TRUE(applied) << applied.error().message;
  }
  void connect() {
    clickhouse::Endpoint endpoint;
    endpoint.url = store_->url();
    client_ = std::make_unique<clickhouse::Client>(endpoint);
    kept_ = std::make_unique<Reports>(*client_, /*can_remember=*/true);
    from_events_ = std::make_unique<Reports>(*client_, /*can_remember=*/false);
    writer_ = std::make_unique<JourneyWriter>(*client_);
  }

  std::int64_t any(std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(least, most)(draw_);
  }
  template <class T>
  const T& one_of(const std::vector<T>& all) {
    return all[static_cast<std::size_t>(any(0, static_cast<std::int64_t>(all.size()) - 1))];
  }

  /// Events of people with key and without, bots, nobody; many at one time, many around midnight.
  void land(int people, std::int64_t first_day = 0, std::int64_t last_day = kJourneyDays - 1) {
    std::string rows;
    for (int i = 0; i < people; ++i) {
      const auto number = any(1, 1'000'000);
      const auto site = any(0, 3) == 0 ? "other" : "campus";
      const auto user = any(0, 2) == 0 ? 0 : number;
      const auto session = any(0, 9) == 0 ? 0 : 7'000'000 + number;
      const bool is_bot = any(0, 15) == 0, has_seq = any(0, 2) != 0;
      auto time = kFirstJourneyDay + any(first_day, last_day) * kDay +
                  one_of<std::int64_t>({any(0, kDay - 1), kDay - 1, kDay - 1000, kDay - 1'800'000, 0});
      for (std::int64_t seq = 1; seq <= any(2, 12); ++seq) {
        if (time >= kFirstJourneyDay + (last_day + 1) * kDay) break;
        const auto type = one_of(kJourneyTypes);
        rows += fmt::format("{}\t{}\t{}\t{}.{:03}\t{}\t{}\t{}\t{}\t{}\n", site, session, has_seq ? seq : 0, time / 1000,
                            time % 1000, type, user, is_bot ? 1 : 0,
                            type == "search" ? one_of<std::string>({"law", " Law", "fees"}) : "",
                            type == "search" ? any(0, 1) : -1);
        time += one_of<std::int64_t>({0, 0, 0, 1, 999, 1000, 60'000, 1'800'000, kDay / 2});
      }
    }
    insert(rows);
  }
  void insert(const std::string& rows) {
    const auto done = client_->insert(
        "INSERT INTO marquee.events (site_id, session_id, seq, event_time, event_type, user_key, is_bot, search_query, "
        "results_count)",
        "TabSeparated", rows);
    ASSERT_TRUE(done) << done.error().error.message;
  }

  void make_all() {
    const auto days = writer_->days();
    ASSERT_TRUE(days) << days.error().message;
    for (const auto& day : *days) {
      if (day.build != 0) continue;
      const auto builds = writer_->builds();
      ASSERT_TRUE(builds) << builds.error().message;
      const auto made = writer_->write(day.day, builds->next_build);
      ASSERT_TRUE(made) << made.error().message;
      EXPECT_TRUE(*made);
    }
  }
  std::set<std::string> days_without() {
    std::set<std::string> without;
    const auto days = writer_->days();
    EXPECT_TRUE(days);
    for (const auto& day : *days)
      if (day.build == 0) without.insert(day.day);
    return without;
  }

  Scope random_scope() {
    const auto from = any(0, 1) * kDay + one_of<std::int64_t>({0, 0, 1, kDay / 2, kDay - 1});
    const auto to = any(4, kJourneyDays) * kDay - one_of<std::int64_t>({0, 0, 1, 999, kDay / 2});
    Scope scope{.site = "campus", .from_ms = {}, .to_ms = {}};
    if (any(0, 4) != 0) scope.from_ms = kFirstJourneyDay + from;
    if (any(0, 4) != 0) scope.to_ms = kFirstJourneyDay + to;
    return scope;
  }
  FunnelMatch random_match() {
    FunnelMatch match{.types = {one_of(kJourneyTypes)}};
    if (any(0, 3) == 0) match.types.push_back(one_of(kJourneyTypes));
    return match;
  }
  FunnelRequest random_funnel() {
    FunnelRequest request{.scope = random_scope(), .steps = {}};
    request.order = one_of<FunnelOrder>({FunnelOrder::ordered, FunnelOrder::strict, FunnelOrder::any});
    const auto steps = any(2, 4);
    for (std::int64_t step = 0; step < steps; ++step)
      request.steps.push_back({random_match(), step > 0 && step + 1 < steps && any(0, 3) == 0});
    if (request.order != FunnelOrder::strict && any(0, 2) == 0)
      request.exclusions.push_back({.match = random_match(), .after_step = 1, .before_step = {}});
    request.window_seconds = static_cast<std::uint64_t>(
        one_of<std::int64_t>({1, 60, 1800, 3600, 43'200, 86'399, 86'400, 86'401, 2 * 86'400}));
    if (any(0, 2) == 0) request.dropped_after = 1;
    return request;
  }

  static std::string told(const FunnelReport& report) {
    std::string text;
    for (const auto& step : report.total.steps)
      text += fmt::format("{} {} {}; ", step.users, step.median_ms.value_or(-1), step.p90_ms.value_or(-1));
    return text + fmt::format("{} {}; {} {} {}", report.total.median_ms.value_or(-1), report.total.p90_ms.value_or(-1),
                              report.dropped.users, report.dropped.without_key, fmt::join(report.dropped.keys, ","));
  }
  static std::string told(const SearchesReport& report) {
    const auto one = [](const SearchTerm& term) {
      return fmt::format("{}: {} {} {} {}; ", term.term, term.searches, term.users, term.without_results,
                         term.without_click);
    };
    std::string text = one(report.total);
    for (const auto& term : report.terms) text += one(term);
    return text;
  }

  /// Funnels and searches; the sources that answered.
  std::set<std::string> compare(int cases) {
    std::set<std::string> sources;
    for (int i = 0; i < cases; ++i) {
      const auto request = random_funnel();
      const auto kept = kept_->funnel(request), events = from_events_->funnel(request);
      if (!events) {  // Two steps may be the same.
        EXPECT_FALSE(kept);
        continue;
      }
      if (!kept) {
        ADD_FAILURE() << kept.error().message;
        continue;
      }
      EXPECT_EQ(told(*kept), told(*events))
          << "seed " << seed_ << ", order " << static_cast<int>(request.order) << ", window " << request.window_seconds;
      EXPECT_EQ(events->source, "events");
      sources.insert(kept->source);
      const SearchesRequest searches{.scope = random_scope()};
      const auto kept_terms = kept_->searches(searches), terms = from_events_->searches(searches);
      if (!kept_terms || !terms) {
        ADD_FAILURE() << (kept_terms ? terms : kept_terms).error().message;
        continue;
      }
      EXPECT_EQ(told(*kept_terms), told(*terms)) << "seed " << seed_;
      sources.insert("searches: " + kept_terms->source);
    }
    return sources;
  }

  void run(const std::string& sql) {
    const auto done = client_->execute(sql);
    ASSERT_TRUE(done) << done.error().message;
  }

  std::uint32_t seed_ = 0;
  std::mt19937 draw_;
  std::unique_ptr<clickhouse::testing::StoreProcess> store_;
  std::unique_ptr<clickhouse::Client> client_;
  std::unique_ptr<Reports> kept_, from_events_;
  std::unique_ptr<JourneyWriter> writer_;
};

const std::set<std::string> kOfJourneys = {"journeys", "searches: journeys"};

TEST_F(Journeys, answer_what_the_events_answer) {
  land(400);
  EXPECT_EQ(compare(2), (std::set<std::string>{"events", "searches: events"})) << "none are made";
  make_all();
  EXPECT_EQ(compare(40), kOfJourneys);
}

TEST_F(Journeys, of_some_days_answer_with_the_events_of_the_others) {
  land(300);
  make_all();
  for (int day = 0; day < kJourneyDays; ++day) {
    const auto before = days_without();
    land(10, day, day);
    EXPECT_EQ(days_without().size(), before.size() + 1) << "what landed late changes its day";
    compare(15);
  }
  EXPECT_EQ(compare(3), (std::set<std::string>{"events", "searches: events"}));
  make_all();
  EXPECT_EQ(compare(20), kOfJourneys);
}

TEST_F(Journeys, hold_no_longer_where_events_are_erased_and_still_where_they_are_merged) {
  land(300);
  land(300);
  make_all();
  run("OPTIMIZE TABLE marquee.events FINAL");
  EXPECT_TRUE(days_without().empty());
  EXPECT_EQ(compare(5), kOfJourneys);
  const auto day = partition_of(kFirstJourneyDay + kDay);
  run("DELETE FROM marquee.events WHERE user_key % 5 = 1 AND toDate(event_time) = toDate(20501) SETTINGS "
      "lightweight_deletes_sync = 2");
  EXPECT_TRUE(days_without().contains(day));
  compare(15);
  make_all();
  EXPECT_EQ(compare(5), kOfJourneys);
  run("ALTER TABLE marquee.events DELETE WHERE user_key % 5 = 2 SETTINGS mutations_sync = 2");
  EXPECT_EQ(fmt::format("{}", fmt::join(days_without(), " ")), "20260216 20260217 20260218 20260219 20260220");
  compare(10);
  make_all();
  EXPECT_EQ(compare(10), kOfJourneys);
  // A table exchanged for another, as a rewind does it, with rows of the same numbers.
  run("CREATE TABLE marquee.twin AS marquee.events");
  run("INSERT INTO marquee.twin SELECT * REPLACE (event_time + INTERVAL 1 MILLISECOND AS event_time) FROM "
      "marquee.events "
      "WHERE toUnixTimestamp64Milli(event_time) % 86400000 < 86399999");
  run("EXCHANGE TABLES marquee.events AND marquee.twin");
  EXPECT_GE(days_without().size(), kJourneyDays);
  compare(10);
}

TEST_F(Journeys, that_are_no_longer_whole_are_not_read) {
  land(200);
  make_all();
  run("ALTER TABLE marquee.journeys DELETE WHERE user_key % 2 = 0 SETTINGS mutations_sync = 2");
  EXPECT_EQ(days_without().size(), kJourneyDays);
  compare(5);
  make_all();
  EXPECT_EQ(compare(5), kOfJourneys);
  const auto builds = writer_->builds();
  ASSERT_TRUE(builds);
  for (const auto& [day, build] : builds->written) ASSERT_TRUE(writer_->remove(day, build));
  EXPECT_EQ(days_without().size(), kJourneyDays);
  compare(5);
}

TEST_F(Journeys, are_refused_where_a_moment_has_too_many_events_and_the_events_answer) {
  land(200);
  make_all();
  std::string rows;
  const auto time = kFirstJourneyDay / 1000 + 3600;
  for (int seq = 1; seq <= 40; ++seq)
    rows += fmt::format("campus\t99\t{}\t{}\t{}\t0\t0\tlaw\t1\n", seq, time, seq % 2 == 0 ? "search" : "click");
  insert(rows);
  compare(10);
  const auto builds = writer_->builds();
  ASSERT_TRUE(builds);
  const auto refused = writer_->write(partition_of(kFirstJourneyDay), builds->next_build);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().action, Action::reject) << refused.error().message;
  compare(10);
}

TEST_F(Journeys, whose_making_is_cut_off_by_the_stores_death_hold_whole_or_not_at_all) {
  land(400);
  make_all();
  for (int kill = 0; kill < 8; ++kill) {
    land(20);
    std::thread making([&] {
      const auto days = writer_->days();
      if (!days) return;
      for (const auto& day : *days) {
        const auto builds = writer_->builds();
        if (!builds || !writer_->write(day.day, builds->next_build)) return;
      }
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(any(0, 250)));
    store_->kill_now();
    making.join();
    store_->start();
    ASSERT_TRUE(store_->is_up());
    connect();
    compare(4);
  }
  make_all();
  EXPECT_EQ(compare(10), kOfJourneys);
}

}  // namespace
}  // namespace marquee::analytics
