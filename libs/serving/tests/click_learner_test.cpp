// Decisions that learn: through the server, the logs and the model, as a process does it.
#include "marquee/serving/click_learner.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <thread>

#include "serving_fixture.h"
#include "wait_until.h"

namespace marquee::serving {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kLearnerSeed = 5;

class ClickLearnerTest : public ServingTest {
 protected:
  ~ClickLearnerTest() override { end_learning(); }

  /// Ads c0 to c<n - 1>. Ends what began before.
  void begin_learning(std::size_t ads) {
    end_learning();
    ranker_in_use = &learned;
    begin({campaign("c", ads)});
    learner = std::make_unique<ClickLearner>(
        ClickLearnerOptions{.training = {.token_key = {2},
                                         .click_window = 10s,
                                         .learner = {.slots_log2 = 14, .ftrl = {}, .priors = {}},
                                         .trial = {}},
                            .path = directory + "/model",
                            .publish_every = 5ms,
                            .metrics = metrics},
        learned, *sites, *events, *decisions, *versions);
    learner->start();
  }
  void end_learning() {
    learner.reset();
    end();
  }

  /// Impressions of one ad each, `clicked` says which ads are clicked by which college. Time goes on by a second each.
  std::map<std::string, int> browse(int count,
                                    const std::function<bool(const std::string&, const std::string&)>& clicked) {
    std::map<std::string, int> shown;
    for (int i = 0; i < count; ++i) {
      const std::string college = i % 2 == 0 ? "north" : "south";
      const auto served = ask(fmt::format(
          R"({{"placements":[{{"slot_id":"top"}}],"consent":"full","age":20,"college_id":"{}"}})", college));
      clock->advance(Millis(1'000));
      static_cast<void>(get(served[0].impression));
      if (clicked(college, served[0].ad)) static_cast<void>(get(served[0].click));
      ++shown[college + " " + served[0].ad];
      policy = served[0].policy;
    }
    return shown;
  }
  double learned_so_far() { return metric("marquee_learning_impressions_total"); }

  LearnedRanker learned;
  std::unique_ptr<ClickLearner> learner;
  std::string policy;
};

TEST_F(ClickLearnerTest, shows_to_each_college_what_it_clicks) {
  RecordProperty("seed", static_cast<int>(kLearnerSeed));
  begin_learning(8);
  const auto clicks = [](const std::string& college, const std::string& ad) {
    return college == "north" ? ad == "c1" : ad == "c6";
  };
  // Ten of each, of which the first are shown before anything is known.
  auto before = browse(20, clicks);
  EXPECT_LT(before["north c1"] + before["south c6"], 15);
  browse(780, clicks);
  // The clock has gone on by more than the window, but for the last ten.
  ASSERT_TRUE(wait_until([&] { return learned_so_far() >= 780; })) << learned_so_far();
  std::this_thread::sleep_for(50ms);  // Until that is published.
  auto after = browse(200, clicks);
  EXPECT_GT(after["north c1"], 70);
  EXPECT_GT(after["south c6"], 70);
  EXPECT_TRUE(policy.starts_with("learned-")) << policy;
  EXPECT_GT(policy, "learned-1");
  EXPECT_EQ(metric("marquee_learning_passed_over_total"), 0);
}

TEST_F(ClickLearnerTest, goes_on_where_it_was_and_learns_nothing_twice) {
  begin_learning(4);
  browse(60, [](const auto&, const std::string& ad) { return ad == "c2"; });
  ASSERT_TRUE(wait_until([&] { return learned_so_far() >= 49; }));
  end_learning();
  const auto learned_before = learned_so_far();
  ASSERT_LT(learned_before, 60) << "some must still wait";
  begin_learning(4);
  browse(20, [](const auto&, const auto&) { return false; });
  // All of the first sixty and those of the twenty whose window is over, each once.
  ASSERT_TRUE(wait_until([&] { return learned_so_far() >= 69; })) << learned_so_far();
  std::this_thread::sleep_for(100ms);
  EXPECT_LE(learned_so_far(), 71);
  EXPECT_EQ(metric("marquee_learning_passed_over_total"), 0);
}

TEST_F(ClickLearnerTest, a_site_that_was_just_made_and_has_no_ads_yet_stops_nobody) {
  begin_learning(4);
  ASSERT_EQ(sites->at("to-come").inventory(), nullptr);
  browse(40, [](const auto&, const std::string& ad) { return ad == "c2"; });
  ASSERT_TRUE(wait_until([&] { return learned_so_far() >= 29; })) << learned_so_far();
  EXPECT_TRUE(wait_until([&] {
    browse(1, [](const auto&, const auto&) { return false; });
    return policy.starts_with("learned-");
  })) << policy;
}

TEST_F(ClickLearnerTest, what_a_page_claims_is_not_learned) {
  begin_learning(4);
  const auto served = ask(R"({"placements":[{"slot_id":"top"}]})");
  event::Event claimed;
  claimed.site_id = "campus";
  claimed.type = event::Type::impression;
  claimed.decision_id = served[0].decision;
  claimed.ad_id = served[0].ad;
  claimed.slot_id = "top";
  claimed.external_id = "served-0123456789abcdef0123456789abcdef";
  claimed.event_time_ms = claimed.received_time_ms = clock->now().time_since_epoch().count();
  std::string record;
  event::encode(claimed, record);
  std::vector<log::Batch> batches;
  batches.emplace_back(0).add(record);
  events->append(std::move(batches), [](Result<void>) {});
  browse(15, [](const auto&, const auto&) { return false; });
  ASSERT_TRUE(wait_until([&] { return learned_so_far() >= 4; }));
  std::this_thread::sleep_for(50ms);
  EXPECT_LE(learned_so_far(), 5);
}

TEST_F(ClickLearnerTest, a_damaged_model_is_left_and_learning_begins_with_the_logs) {
  begin_learning(4);
  browse(30, [](const auto&, const auto&) { return false; });
  ASSERT_TRUE(wait_until([&] { return learned_so_far() >= 19; }));
  end_learning();
  const auto before = learned_so_far();
  {
    std::fstream file(directory + "/model", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(200);
    file.put('x');
    file.put('y');
  }
  begin_learning(4);
  browse(5, [](const auto&, const auto&) { return false; });
  EXPECT_TRUE(wait_until([&] { return learned_so_far() >= before + 24; })) << learned_so_far() - before;
}

}  // namespace
}  // namespace marquee::serving
