// How the pipeline fares, from looks at log and store; and the watch that looks for everybody.
#include "marquee/ingest/pipeline.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "marquee/http/server.h"
#include "marquee/ingest/pipeline_watch.h"
#include "marquee/log/memory_log.h"

namespace marquee::ingest {
namespace {

using log::Offset;

constexpr std::int64_t kStart = 1'767'225'600'000;

/// One partition's story, told second by second.
class Story {
 public:
  explicit Story(Millis patience = Millis(5'000)) : tracker_(patience) { told.loader = "host:1"; }

  const PipelinePartition& after(std::int64_t seconds) {
    now_ += seconds * 1'000;
    return look();
  }
  const PipelinePartition& look() {
    PipelineLook look;
    look.time_ms = now_;
    if (log_answers) look.log = {log::Standing{{0, end}, landed, waiting_since, is_followed}};
    if (is_telling) told.time_ms = now_;
    if (store_answers) look.told = {told};
    look.dead_letters = {letters};
    return tracker_.add(look).partitions.at(0);
  }
  const Pipeline& pipeline() const { return tracker_.pipeline(); }
  std::int64_t now() const { return now_; }

  Offset landed = 0, end = 0;
  std::optional<std::int64_t> waiting_since;
  std::optional<bool> is_followed = true;
  bool is_telling = true, log_answers = true, store_answers = true;
  PartitionStatus told;
  std::uint64_t letters = 0;

 private:
  PipelineTracker tracker_;
  std::int64_t now_ = kStart;
};

TEST(PipelineTracker, says_landed_while_nothing_waits) {
  Story story;
  story.landed = story.end = 100;
  const auto& one = story.look();
  EXPECT_EQ(one.state, PartitionState::landed);
  EXPECT_EQ(one.lag_seconds, 0);
  EXPECT_EQ(one.done_in, 0);
  EXPECT_EQ(story.pipeline().done_in, 0);
  EXPECT_FALSE(story.pipeline().wants_attention());
}

TEST(PipelineTracker, measures_what_lands_and_comes_and_says_when_it_will_be_done) {
  Story story;
  story.end = 10'000;
  story.waiting_since = story.now() - 60'000;
  story.look();
  story.landed = 5'000;
  story.end = 11'000;
  const auto& one = story.after(10);
  EXPECT_EQ(one.state, PartitionState::landing) << "an old backlog that shrinks is on its way";
  EXPECT_DOUBLE_EQ(one.landing_per_second, 500);
  EXPECT_DOUBLE_EQ(one.arriving_per_second, 100);
  EXPECT_DOUBLE_EQ(one.done_in.value_or(-1), 15);  // 6,000 at 400 a second.
  EXPECT_DOUBLE_EQ(one.lag_seconds, 70);
  EXPECT_FALSE(story.pipeline().wants_attention());
  // What it did a minute ago is not its rate.
  for (int i = 0; i < 10; ++i) story.after(5);
  EXPECT_DOUBLE_EQ(story.look().landing_per_second, 0);
}

TEST(PipelineTracker, takes_the_loaders_word_for_its_rate_before_it_has_looked_twice) {
  Story story;
  story.end = 10;
  story.told.events_per_second = 7;
  EXPECT_DOUBLE_EQ(story.look().landing_per_second, 7);
}

TEST(PipelineTracker, knows_a_partition_that_falls_behind_from_one_that_stalls) {
  Story story;
  story.end = 1'000;
  story.waiting_since = story.now() - 12'000;
  story.look();
  story.landed = 100;
  story.end = 2'000;
  EXPECT_EQ(story.after(5).state, PartitionState::behind);
  EXPECT_FALSE(story.look().done_in);
  EXPECT_FALSE(story.pipeline().done_in);
  EXPECT_TRUE(story.pipeline().wants_attention());
  for (int i = 0; i < 10; ++i) story.after(5);
  EXPECT_EQ(story.look().state, PartitionState::stalled);
}

TEST(PipelineTracker, is_patient_with_young_events) {
  Story story;
  story.end = 5;
  story.waiting_since = story.now() - 300;
  EXPECT_EQ(story.look().state, PartitionState::landing);
  EXPECT_EQ(story.after(5).state, PartitionState::landing);
}

TEST(PipelineTracker, calls_a_partition_orphaned_once_nobody_had_it_for_a_while) {
  Story story;
  story.is_followed = false;
  EXPECT_EQ(story.look().state, PartitionState::landed);
  story.is_followed = std::nullopt;  // The group is being balanced.
  EXPECT_EQ(story.after(4).state, PartitionState::landed);
  story.is_followed = false;
  EXPECT_EQ(story.after(1).state, PartitionState::orphaned);
  story.is_followed = true;
  EXPECT_EQ(story.after(1).state, PartitionState::landed);
  story.is_followed = false;
  EXPECT_EQ(story.after(1).state, PartitionState::landed) << "it begins anew";
}

TEST(PipelineTracker, says_since_when_events_wait_without_a_loader) {
  Story story;
  story.is_followed = false;
  story.is_telling = false;
  story.end = 3;
  story.waiting_since = story.now() - 90'000;
  EXPECT_DOUBLE_EQ(story.look().lag_seconds, 90);
  story.waiting_since.reset();  // The record cannot be read: it is known already.
  EXPECT_DOUBLE_EQ(story.after(10).lag_seconds, 100);
}

TEST(PipelineTracker, counts_from_when_it_first_saw_a_record_whose_time_is_not_known) {
  Story story;
  story.end = 3;
  EXPECT_DOUBLE_EQ(story.look().lag_seconds, 0);
  EXPECT_DOUBLE_EQ(story.after(10).lag_seconds, 10);
  story.landed = 1;
  EXPECT_DOUBLE_EQ(story.after(1).lag_seconds, 0);
}

TEST(PipelineTracker, tells_a_silent_loader_from_a_store_that_is_away) {
  Story story;
  story.look();
  story.is_telling = false;
  EXPECT_EQ(story.after(60).state, PartitionState::landed) << "an idle loader tells every half minute";
  EXPECT_EQ(story.after(10).state, PartitionState::silent);
  story.store_answers = false;
  EXPECT_EQ(story.after(10).state, PartitionState::landed) << "nobody can tell anything";
  EXPECT_FALSE(story.pipeline().store_answers);
  EXPECT_TRUE(story.pipeline().wants_attention());
}

TEST(PipelineTracker, says_failing_and_the_error_until_a_batch_lands) {
  Story story;
  story.end = 1;
  story.waiting_since = story.now();
  story.told.last_error = "insert: too many parts";
  story.letters = 4;
  EXPECT_EQ(story.look().state, PartitionState::failing);
  EXPECT_EQ(story.look().told.last_error, "insert: too many parts");
  EXPECT_EQ(story.look().dead_letters, 4U);
  story.told.last_error.clear();
  EXPECT_EQ(story.after(1).state, PartitionState::landing);
}

TEST(PipelineTracker, keeps_what_it_saw_while_the_log_is_away) {
  Story story;
  story.landed = 1;
  story.end = 5;
  story.waiting_since = story.now();
  story.look();
  story.log_answers = false;
  const auto& one = story.after(20);
  EXPECT_FALSE(story.pipeline().log_answers);
  EXPECT_EQ(one.told.lag_events(), 4U);
  EXPECT_DOUBLE_EQ(one.lag_seconds, 20) << "they go on waiting";
  EXPECT_EQ(story.pipeline().history.size(), 1U) << "what was not seen is no history";
}

TEST(PipelineTracker, keeps_a_quarter_of_an_hour_in_steps_of_five_seconds) {
  Story story;
  for (int second = 0; second < 1'000; ++second) story.after(1);
  const auto& history = story.pipeline().history;
  EXPECT_EQ(history.size(), 180U);
  EXPECT_EQ(history[1].time_ms - history[0].time_ms, 5'000);
}

TEST(PipelineTracker, begins_anew_with_a_log_that_did) {
  Story story;
  story.landed = story.end = 1'000;
  story.look();
  story.landed = story.end = 10;
  const auto& one = story.after(5);
  EXPECT_DOUBLE_EQ(one.arriving_per_second, 0);
  EXPECT_DOUBLE_EQ(one.landing_per_second, 0);
}

/// Answers every query with nothing, and counts them.
class CountingStore {
 public:
  CountingStore() {
    http::Router router;
    router.add("POST", "/", [this](const http::Request&, http::Responder responder) {
      ++queries;
      responder.send(http::Response::text(200, "log_partition\tn\nUInt16\tUInt64\n"));
    });
    server_ = std::make_unique<http::Server>(http::ServerOptions{}, std::move(router));
    EXPECT_TRUE(server_->start());
  }
  ~CountingStore() { server_->stop(); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }

  std::atomic<std::uint64_t> queries = 0;

 private:
  std::unique_ptr<http::Server> server_;
};

template <class Condition>
bool eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

TEST(PipelineWatch, asks_the_store_no_more_often_however_many_ask_it) {
  CountingStore server;
  clickhouse::Client store({.url = server.url(), .user = {}, .password = {}});
  const auto log = log::open_memory_log(3);
  PipelineWatch watch({.while_asked = Millis(50), .while_alone = Millis(50), .own = {}, .metrics = {}}, store, *log);
  ASSERT_TRUE(eventually([&] { return watch.pipeline()->store_answers; }));
  EXPECT_EQ(watch.pipeline()->partitions.size(), 3U);
  const auto begun = std::chrono::steady_clock::now();
  const auto before = server.queries.load();
  std::vector<std::jthread> consoles;
  for (int i = 0; i < 20; ++i) {
    consoles.emplace_back([&] {
      for (int n = 0; n < 1'000; ++n) (void)watch.pipeline();
    });
  }
  consoles.clear();
  const auto looks = (std::chrono::steady_clock::now() - begun) / std::chrono::milliseconds(50);
  EXPECT_LE(server.queries - before, 2U * static_cast<std::uint64_t>(looks + 2)) << "two queries a look";
}

TEST(PipelineWatch, never_makes_who_asks_wait_for_a_store_that_hangs) {
  std::promise<void> over;
  const auto ended = over.get_future().share();
  http::Router router;
  router.add_blocking("POST", "/", [ended](const http::Request&) {
    ended.wait();
    return http::Response::text(503, "late");
  });
  http::Server server({}, std::move(router));
  ASSERT_TRUE(server.start());
  clickhouse::Client store({.url = "http://127.0.0.1:" + std::to_string(server.port()), .user = {}, .password = {}},
                           http::ClientOptions{.timeout_ms = 60'000});
  const auto log = log::open_memory_log(1);
  {
    PipelineWatch watch({}, store, *log);
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(watch.pipeline()->store_answers);
    over.set_value();
  }
  server.stop();
}

TEST(PipelineWatch, shows_partitions_that_no_loader_has_to_alerts) {
  CountingStore server;
  clickhouse::Client store({.url = server.url(), .user = {}, .password = {}});
  const auto log = log::open_memory_log(2);
  log::Batch batch(1);
  batch.add("x");
  std::vector<log::Batch> batches;
  batches.push_back(std::move(batch));
  log->append(std::move(batches), [](const Result<void>&) {});
  const auto registry = std::make_shared<metrics::Registry>();
  PipelineWatch watch({.while_asked = Millis(100), .while_alone = Millis(100), .own = {}, .metrics = registry}, store,
                      *log);
  const auto shows = [&](const std::string& line) {
    return eventually([&] { return metrics::render(*registry).find(line) != std::string::npos; });
  };
  EXPECT_TRUE(shows("marquee_pipeline_lag_events{partition=\"1\"} 1"));
  EXPECT_TRUE(shows("marquee_pipeline_lag_events{partition=\"0\"} 0"));
  EXPECT_TRUE(shows("marquee_pipeline_has_loader{partition=\"1\"} 0")) << metrics::render(*registry);
  EXPECT_TRUE(shows("marquee_store_up 1"));
  EXPECT_TRUE(shows("marquee_log_up 1"));
}

}  // namespace
}  // namespace marquee::ingest
