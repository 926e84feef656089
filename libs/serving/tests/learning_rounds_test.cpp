// That the logs alone give every version of the model again, and that a version that is worse is left.
#include "learning_rounds.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "history_model.h"
#include "logged_traffic.h"
#include "marquee/log/memory_log.h"
#include "marquee/serving/click_learner.h"
#include "marquee/serving/decision_server.h"
#include "whole_file.h"

namespace marquee::serving {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr std::uint64_t kRoundSeed = 11;
constexpr std::size_t kRoundAds = 6;
constexpr std::int64_t kBegin = 1'735'689'600'000, kStep = 400;

class LearningRoundsTest : public ::testing::Test {
 protected:
  LearningRoundsTest() : directory("/tmp/learning-rounds-test-" + std::to_string(::getpid())) {
    fs::remove_all(directory);
    fs::create_directories(directory);
    RecordProperty("seed", static_cast<int>(kRoundSeed));
  }
  ~LearningRoundsTest() override {
    learner.reset();
    fs::remove_all(directory);
  }

  TrainingOptions training() const {
    return {.token_key = {2},
            .click_window = click_window,
            .learner = {.slots_log2 = 12, .ftrl = {}, .priors = {}},
            .compare_for = 60min,
            .trial = {.false_alarm = 1e-3, .min_examples = 300, .min_clicks = 20, .epoch_examples = 2'000}};
  }
  std::string path() const { return directory + "/model"; }

  void start() {
    sites.at("campus").use(traffic.inventory);
    learner = std::make_unique<ClickLearner>(
        // Beside other tests it would not keep up with what is shown here without a pause.
        ClickLearnerOptions{
            .training = training(), .path = path(), .publish_every = 1ms, .save_every = 7ms, .gives_way = false},
        ranker, sites, *events, *decisions, *versions);
    learner->start();
  }

  /// One more: mostly a liked ad, as a ranking would show it. What is clicked depends on `chance`.
  void show(const std::function<double(bool is_liked)>& chance) {
    const bool is_north = dice() % 2 == 0;
    const std::size_t liked = is_north ? 1 : 4;
    const std::size_t ad = dice() % 3 == 0 ? liked : dice() % kRoundAds;
    const bool is_clicked = std::uniform_real_distribution<>(0, 1)(dice) < chance(ad == liked);
    traffic.show(time, is_north ? "north" : "south", ad, is_clicked);
    time += kStep;
    ++shown;
  }
  static double healthy(bool is_liked) { return is_liked ? 0.3 : 0.02; }
  static double poisoned(bool is_liked) { return is_liked ? 0.0 : 0.8; }

  nlohmann::json told() const { return nlohmann::json::parse(learner->versions_json()); }

  /// Until all but what waits for its click (25 of them) is learned.
  void wait_until_learned() {
    const auto until = std::chrono::steady_clock::now() + 60s;
    const auto learned = [&]() -> std::uint64_t {
      const auto latest = told().at("versions");
      return latest.empty() ? 0 : latest[0].at("examples").get<std::uint64_t>();
    };
    while (learned() + 40 < shown && !has_rolled_back()) {
      ASSERT_LT(std::chrono::steady_clock::now(), until) << learned() << " of " << shown;
      std::this_thread::sleep_for(2ms);
    }
  }
  /// Until what serves has been learned from all that the logs have.
  void wait_until_read() {
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (told().at("unread_records") != 0) {
      ASSERT_LT(std::chrono::steady_clock::now(), until);
      std::this_thread::sleep_for(2ms);
    }
    const auto cut = VersionLog(*versions).read(versions->end(0) - 1).value().front().cut;
    for (log::Partition i = 0; i < cut.events.size(); ++i) EXPECT_EQ(cut.events[i], events->end(i));
    for (log::Partition i = 0; i < cut.decisions.size(); ++i) EXPECT_EQ(cut.decisions[i], decisions->end(i));
  }
  /// As a day has them: rounds of some hundred, so that there are versions to compare, however busy the machine is.
  void show_in_rounds(int count, const std::function<double(bool is_liked)>& chance) {
    constexpr int kRound = 100;
    for (; count > 0 && !has_rolled_back(); count -= kRound) {
      for (int i = 0; i < std::min(count, kRound); ++i) show(chance);
      wait_until_read();
    }
  }
  bool has_rolled_back() const { return !told().at("rolled_back").empty(); }

  /// All recorded rounds again, by a process that has the logs and nothing else (and what learning began with).
  struct Repeated {
    std::size_t versions = 0, beginnings = 0, left = 0;
    std::string trained;
  };
  Repeated repeat() {
    Repeated done;
    std::unique_ptr<LearningRounds> rounds;
    VersionLog log(*versions);
    for (log::Offset at = 0; at < log.end();) {
      const auto recorded = log.read(at).value();
      for (const auto& round : recorded) {
        if (round.is_begin) {
          rounds = std::make_unique<LearningRounds>(training(), ranker.features(), *events, *decisions);
          EXPECT_EQ(round.base, 0U);
          EXPECT_EQ(rounds->begin(round, at, "", {}).value(), true);
          ++done.beginnings;
        } else {
          EXPECT_EQ(rounds->repeat(round, at, {}).value(), true) << "version " << round.version;
        }
        EXPECT_EQ(rounds->version(), round.version);
        if (round.is_published) {
          EXPECT_EQ(rounds->trainer().learner().version(), round.hash) << "version " << round.version;
        }
        done.versions += round.is_published ? 1 : 0;
        done.left += round.left ? 1 : 0;
        ++at;
      }
    }
    done.trained = rounds->trainer().save();
    return done;
  }

  const std::string directory;
  std::unique_ptr<log::EventLog> events = log::open_memory_log(3), decisions = log::open_memory_log(2),
                                 versions = log::open_memory_log(1);
  LoggedTraffic traffic{kRoundAds, {2}, *events, *decisions};
  LearnedRanker ranker;
  Sites sites{ranker, kImpressionLife};
  std::unique_ptr<ClickLearner> learner;
  Millis click_window = 10s;
  std::mt19937_64 dice{kRoundSeed};
  std::int64_t time = kBegin;
  std::uint64_t shown = 0;
};

TEST_F(LearningRoundsTest, the_logs_alone_give_every_version_again_whatever_kill_9_left) {
  constexpr int kRuns = 20;
  constexpr log::Offset kRoundsARun = 5;
  std::jthread pages([&](const std::stop_token& stop) {
    std::mt19937_64 pauses(kRoundSeed);
    while (!stop.stop_requested()) {
      show(healthy);
      if (pauses() % 20 == 0) std::this_thread::sleep_for(std::chrono::microseconds(pauses() % 10'000));
    }
  });
  std::mt19937_64 moments(kRoundSeed + 1);
  for (int run = 0; run < kRuns; ++run) {
    const auto before = versions->end(0);
    start();
    if (run % 3 != 2) {  // At times it is killed before it is where the last one was.
      const auto until = std::chrono::steady_clock::now() + 60s;
      while (versions->end(0) < before + kRoundsARun && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(1ms);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(moments() % 30));
    // What is on the disk at some moment is what kill -9 leaves, whatever is written afterwards.
    const std::string left = directory + "/left";
    if (fs::exists(path())) fs::copy_file(path(), left, fs::copy_options::overwrite_existing);
    std::this_thread::sleep_for(std::chrono::milliseconds(moments() % 30));
    learner.reset();
    fs::remove(path());
    if (run % 5 != 4 && fs::exists(left)) fs::rename(left, path());  // At times it is lost, too.
    fs::remove(left);
  }
  pages.request_stop();
  pages.join();
  start();
  show(healthy);  // Which is read after all that was recorded before, and so is kept at the end.
  wait_until_read();
  learner.reset();
  const auto again = repeat();
  EXPECT_EQ(again.beginnings, 1U) << "each run went on from the one before";
  // Of the five rounds of each of 14 runs most teach something.
  EXPECT_GT(again.versions, 30U);
  const auto kept = read_whole_file(path(), kModelMagic).value().value();
  EXPECT_TRUE(kept.ends_with(again.trained)) << "what is kept is what the logs give, byte for byte";
}

TEST_F(LearningRoundsTest, under_other_options_learning_begins_anew_from_what_was_kept) {
  start();
  for (int i = 0; i < 400; ++i) show(healthy);
  wait_until_learned();
  learner.reset();
  start();
  for (int i = 0; i < 100; ++i) show(healthy);
  wait_until_learned();
  const auto before = told().at("versions")[0];
  EXPECT_FALSE(before.contains("begin")) << "nothing has changed";
  learner.reset();
  click_window = 15s;
  start();
  const auto until = std::chrono::steady_clock::now() + 60s;
  while (told().at("versions").empty() || !told().at("versions")[0].contains("begin")) {
    ASSERT_LT(std::chrono::steady_clock::now(), until);
    std::this_thread::sleep_for(2ms);
  }
  const auto begun = told().at("versions")[0];
  EXPECT_EQ(begun.at("hash"), before.at("hash"));
  EXPECT_EQ(begun.at("version").get<std::uint64_t>(), before.at("version").get<std::uint64_t>() + 1);
  for (int i = 0; i < 100; ++i) show(healthy);
  // Of 600 some 38 wait; were those forgotten that waited at the restart, 25 more would be missing.
  while (told().at("versions")[0].at("examples").get<std::uint64_t>() < 555) {
    ASSERT_LT(std::chrono::steady_clock::now(), until) << "what waited is not learned";
    std::this_thread::sleep_for(2ms);
  }
}

TEST_F(LearningRoundsTest, what_was_learned_is_kept_though_what_it_went_on_from_is_gone) {
  start();
  for (int i = 0; i < 400; ++i) show(healthy);
  wait_until_learned();
  learner.reset();
  const std::string old = path() + ".old";
  fs::copy_file(path(), old);
  for (const Millis window : {15s, 20s, 25s}) {
    click_window = window;
    // As if nothing had been written down since, but what the last beginning went on from.
    fs::copy_file(old, path(), fs::copy_options::overwrite_existing);
    start();
    for (int i = 0; i < 100; ++i) show(healthy);
    const auto until = std::chrono::steady_clock::now() + 60s;
    while (told().at("versions").empty() || told().at("versions")[0].at("examples").get<std::uint64_t>() + 80 < shown) {
      ASSERT_LT(std::chrono::steady_clock::now(), until);
      std::this_thread::sleep_for(2ms);
    }
    learner.reset();
  }
  std::vector<Round> beginnings;
  VersionLog log(*versions);
  for (log::Offset at = 0; at < log.end();) {
    const auto recorded = log.read(at).value();
    for (const auto& round : recorded)
      if (round.is_begin) beginnings.push_back(round);
    at += recorded.size();
  }
  ASSERT_EQ(beginnings.size(), 4U);
  for (std::size_t i = 1; i < beginnings.size(); ++i) {
    EXPECT_NE(beginnings[i].base, 0U) << "begun with nothing";
    EXPECT_GT(beginnings[i].version, beginnings[i - 1].version);
    EXPECT_GE(beginnings[i].examples, 350U);
  }
}

TEST_F(LearningRoundsTest, a_version_that_learned_from_poison_is_left_for_the_one_before) {
  start();
  // At 9,300 and 18,300 impressions, three hours in all, it is compared with another one.
  show_in_rounds(18'500, healthy);
  ASSERT_FALSE(has_rolled_back());
  show_in_rounds(2'000, poisoned);
  show_in_rounds(6'000, healthy);
  const auto versions_told = told();
  ASSERT_EQ(versions_told.at("rolled_back").size(), 1U);
  const auto& left = versions_told.at("rolled_back")[0];
  const auto& why = left.at("rolled_back");
  // By the mean of losses that are bounded one by one; the entropies are of unbounded ones, and so mostly of the
  // poison.
  EXPECT_GT(why.at("worse_by_at_least").get<double>(), 0);
  EXPECT_GE(why.at("worse_by").get<double>(), why.at("worse_by_at_least").get<double>());
  EXPECT_EQ(left.at("version").get<std::uint64_t>(), why.at("from").get<std::uint64_t>() + 1);
  // What serves as a new version is what served as the one that was gone back to.
  VersionLog log(*versions);
  std::uint64_t hash_before = 0;
  for (log::Offset at = 0; at < log.end();) {
    const auto recorded = log.read(at).value();
    for (const auto& round : recorded)
      if (round.is_published && round.version == why.at("to").get<std::uint64_t>()) hash_before = round.hash;
    at += recorded.size();
  }
  EXPECT_EQ(left.at("hash"), fmt::format("{:016x}", hash_before));
  learner.reset();
  EXPECT_EQ(repeat().left, 1U) << "the logs give the roll-back again";
}

TEST_F(LearningRoundsTest, a_healthy_stream_leaves_no_version) {
  start();
  show_in_rounds(20'000, healthy);
  EXPECT_FALSE(has_rolled_back());
  const auto versions_told = told();
  EXPECT_GT(versions_told.at("previous").at("impressions").get<std::uint64_t>(), 1'000U) << "it was compared";
  EXPECT_NEAR(versions_told.at("served").at("calibration").get<double>(), 1, 0.2);
}

}  // namespace
}  // namespace marquee::serving
