// What is kept of users, in decisions: through the server, the events' log and the profiles, as a process does it.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <thread>

#include "decision_record.h"
#include "marquee/profile/profile_feeder.h"
#include "marquee/serving/interest_targeting.h"
#include "profile_context.h"
#include "serving_fixture.h"
#include "wait_until.h"

namespace marquee::serving {
namespace {

using namespace std::chrono_literals;
using decision::Field;
using decision::Targeting;
using testing::Contains;
using testing::IsEmpty;

/// Counts what is read, and lets it through.
class CountedReads final : public profile::Profiles {
 public:
  explicit CountedReads(profile::ProfileStore& store) : store_(store) {}
  std::optional<profile::Profile> read(const profile::Permission& permission) const override {
    ++reads;
    return store_.read(permission);
  }
  profile::Outcome apply(const profile::Permission& permission, profile::Place place, const event::Event& event,
                         const profile::EventProps& props) override {
    return store_.apply(permission, place, event, props);
  }
  profile::Outcome forget(profile::ProfileId id, profile::Place place) override { return store_.forget(id, place); }
  mutable std::atomic<int> reads = 0;

 private:
  profile::ProfileStore& store_;
};

/// One segment, of the users that are told.
class ToldUsers final : public profile::SegmentUsers {
 public:
  Result<void> read(const profile::SegmentVersion&, const std::function<void(std::uint64_t)>& on_user) override {
    for (const auto user : users) on_user(user);
    return {};
  }
  std::vector<std::uint64_t> users;
};

class KnownUsersTest : public ServingTest {
 protected:
  ~KnownUsersTest() override { end(); }

  void begin_with_profiles(std::vector<decision::Campaign> campaigns) {
    feeder = std::move(*profile::ProfileFeeder::open(
        *events, 1'000, {.directory = directory + "/profiles", .history = {}, .metrics = metrics}));
    counted = std::make_unique<CountedReads>(feeder->store());
    profiles = counted.get();
    for (auto& one : campaigns) read_interests(one.targeting);
    begin(std::move(campaigns));
  }
  [[nodiscard]] bool all_is_known() {
    return wait_until([&] { return feeder->lag() == 0; });
  }
  static decision::Campaign about(std::string category) {
    auto one = campaign(category, 1);
    one.category = std::move(category);
    return one;
  }
  static decision::Campaign for_those(Field field, std::string value) {
    auto one = campaign("aimed", 1, decision::Tier::sponsorship);
    one.targeting = {.kind = Targeting::Kind::is_in, .field = field, .values = {std::move(value)}};
    return one;
  }
  /// What the last decision's log has of a field.
  std::set<std::string> logged(std::string_view field) {
    const auto records = decisions->read(0, decisions->end(0) - 1, 1, 1 << 30).value();
    const auto choices = read_record(records.records.back()).value();
    std::set<std::string> values;
    for (const auto& [name, value] : choices.at(0).context)
      if (name == field) values.emplace(value);
    return values;
  }
  static std::string topic(profile::TopicKind kind, std::string_view text, std::string_view suffix) {
    return fmt::format("{:08x}:{}", profile::topic_of(kind, text), suffix);
  }

  std::unique_ptr<profile::ProfileFeeder> feeder;
  std::unique_ptr<CountedReads> counted;
};

TEST_F(KnownUsersTest, of_whom_it_may_not_know_no_profile_is_read_or_written) {
  begin_with_profiles({about("law")});
  const std::string who = R"({"placements":[{"slot_id":"top"}],"user_id":"u","session_id":"s",)";
  for (const auto* permission :
       {R"("consent":"full"})", R"("consent":"full","age":17})", R"("consent":"full","age":0})", R"("age":30})",
        R"("consent":"contextual","age":30})", R"("consent":"denied","age":30})", R"("consent":"unknown","age":30})"}) {
    const auto one = ask(who + permission).at(0);
    ASSERT_EQ(one.ad, "law0") << permission;
    get(one.impression);
    get(one.click);
    EXPECT_THAT(logged("interest"), IsEmpty());
  }
  // Who has not signed in has no profile either.
  ask(R"({"placements":[{"slot_id":"top"}],"session_id":"s","consent":"full","age":30})");
  ASSERT_TRUE(all_is_known());
  EXPECT_EQ(counted->reads, 0);
  EXPECT_EQ(feeder->store().state().profiles, 0U);
  EXPECT_EQ(metric(R"(marquee_profile_events_total{outcome="applied"})"), 0);
  EXPECT_EQ(metric(R"(marquee_profile_events_total{outcome="contextual"})"), 14) << "all of them were looked at";

  get(ask(who + R"("consent":"full","age":18})").at(0).impression);
  ASSERT_TRUE(all_is_known());
  EXPECT_EQ(counted->reads, 1);
  EXPECT_EQ(feeder->store().state().profiles, 1U);
}

TEST_F(KnownUsersTest, what_was_seen_and_clicked_is_known_at_the_next_decision_and_in_its_log) {
  begin_with_profiles({about("law")});
  const auto first = ask_user("u");
  EXPECT_THAT(logged("seen_ad"), IsEmpty());
  get(first.impression);
  get(first.click);
  ASSERT_TRUE(all_is_known());
  ask_user("u");
  const auto category = fmt::format("category:{:08x}", profile::topic_of(profile::TopicKind::category, "law"));
  EXPECT_EQ(logged("interest"), std::set{category});
  EXPECT_EQ(logged("seen_campaign"), std::set{topic(profile::TopicKind::campaign_seen, "law", "1")});
  EXPECT_EQ(logged("seen_ad"), std::set{topic(profile::TopicKind::ad_seen, "law0", "1")});
  for (int i = 0; i < 2; ++i) {
    const auto more = ask_user("u");
    get(more.impression);
    get(more.click);
  }
  ASSERT_TRUE(all_is_known());
  ask_user("u");
  EXPECT_EQ(logged("interest"), (std::set{category, category + "+"})) << "three clicks";
  EXPECT_EQ(logged("seen_ad"), std::set{topic(profile::TopicKind::ad_seen, "law0", "2")});
  ask_user("someone else");
  EXPECT_THAT(logged("interest"), IsEmpty());
  // Months later little is left of it.
  clock->advance(std::chrono::hours(24 * 90));
  ask_user("u");
  EXPECT_EQ(logged("interest"), std::set{category}) << "6 counts, three half-lives ago";
  EXPECT_THAT(logged("seen_ad"), IsEmpty());
}

TEST_F(KnownUsersTest, who_is_interested_is_reached_by_targeting) {
  begin_with_profiles({for_those(Field::interest, "category:law"), about("law")});
  const auto one = ask_user("u");
  ASSERT_EQ(one.ad, "law0");
  get(one.impression);
  get(one.click);
  ASSERT_TRUE(all_is_known());
  EXPECT_EQ(ask_user("u").ad, "aimed0");
  EXPECT_EQ(ask_user("v").ad, "law0");
  EXPECT_EQ(ask(R"({"placements":[{"slot_id":"top"}],"user_id":"u","consent":"full","age":17})").at(0).ad, "law0");
}

TEST_F(KnownUsersTest, who_is_in_a_segment_is_reached_by_targeting) {
  ToldUsers told;
  told.users = {event::hash_user({1}, "u")};
  profile::SegmentMemberships memberships(told);
  ASSERT_TRUE(memberships.refresh({{"campus", "keen", 1}}));
  segments = &memberships;
  begin_with_profiles({for_those(Field::segment, "keen"), about("law")});
  EXPECT_EQ(ask_user("u").ad, "aimed0");
  EXPECT_EQ(logged("segment"), std::set<std::string>{"keen"});
  EXPECT_EQ(ask_user("v").ad, "law0");
  EXPECT_EQ(ask(R"({"placements":[{"slot_id":"top"}],"user_id":"u","age":30})").at(0).ad, "law0");
  // Another version has other users.
  told.users = {event::hash_user({1}, "v")};
  ASSERT_TRUE(memberships.refresh({{"campus", "keen", 2}}));
  EXPECT_EQ(ask_user("u").ad, "law0");
  EXPECT_EQ(ask_user("v").ad, "aimed0");
  end();
}

TEST_F(KnownUsersTest, who_is_in_a_live_segment_is_reached_by_targeting_at_the_next_decision) {
  begin_with_profiles({for_those(Field::segment, "keen"), about("law")});
  const auto define = [&](std::string_view rule) {
    auto all = std::make_shared<LiveSegments>();
    (*all)["campus"].push_back({"keen", LiveRule::read(rule).value()});
    live_segments.set(all);
  };
  define(
      R"({"all": [{"profile": "category:law"}, {"profile": "clicks", "days": 1}, {"not": {"attribute": "staff", "in": ["yes"]}}]})");
  const auto one = ask_user("u");
  ASSERT_EQ(one.ad, "law0");
  get(one.impression);
  get(one.click);
  ASSERT_TRUE(all_is_known());
  EXPECT_EQ(ask_user("u").ad, "aimed0");
  EXPECT_EQ(logged("segment"), std::set<std::string>{"keen"});
  const std::string who = R"({"placements":[{"slot_id":"top"}],"user_id":"u","consent":"full",)";
  EXPECT_EQ(ask(who + R"("age":20,"attributes":{"staff":"yes"}})").at(0).ad, "law0");
  EXPECT_EQ(ask(who + R"("age":17})").at(0).ad, "law0") << "nobody looks at the profile";
  EXPECT_EQ(ask_user("v").ad, "law0") << "who has no profile is in none, whatever it says";
  define(R"({"not": {"profile": "category:law"}})");
  EXPECT_EQ(ask_user("u").ad, "law0");
  EXPECT_EQ(ask_user("v").ad, "law0");
  define(R"({"profile": "last_click", "within": "1d"})");
  EXPECT_EQ(ask_user("u").ad, "aimed0");
  clock->advance(std::chrono::hours(25));
  EXPECT_EQ(ask_user("u").ad, "law0");
}

TEST_F(KnownUsersTest, who_is_in_a_cluster_that_has_a_name_is_reached_by_targeting) {
  // Sixty users who click on what is about law, and then one more.
  begin_with_profiles({for_those(Field::segment, "cluster:law"), about("law")});
  for (int number = 0; number <= 60; ++number) {
    const auto one = ask_user(std::to_string(number));
    ASSERT_EQ(one.ad, "law0");
    get(one.impression);
    get(one.click);
  }
  ASSERT_TRUE(all_is_known());
  auto named = std::make_shared<profile::NamedClusters>();
  const auto now = static_cast<profile::Seconds>(clock->now().time_since_epoch().count() / 1'000);
  named->clusters = profile::Clusters(feeder->store().sample(1'000), now, {});
  named->names = profile::names_of(named->clusters, [](profile::TopicKind kind, profile::Topic topic) {
    return topic == profile::topic_of(kind, "law") ? std::string("law") : std::string();
  });
  ASSERT_EQ(named->names, std::vector<std::string>{"law"});
  EXPECT_EQ(ask_user("7").ad, "law0") << "nobody is told of the cluster yet";
  clusters.set(named);
  EXPECT_EQ(ask_user("7").ad, "aimed0");
  EXPECT_EQ(logged("segment"), std::set<std::string>{"cluster:law"});
  EXPECT_EQ(ask_user("someone new").ad, "law0");
  EXPECT_EQ(ask(R"({"placements":[{"slot_id":"top"}],"user_id":"7","consent":"full","age":17})").at(0).ad, "law0");
}

TEST(Interests, of_rules_are_those_of_profiles) {
  Targeting rule{.kind = Targeting::Kind::any};
  rule.parts = {{.kind = Targeting::Kind::is_in, .field = Field::interest, .values = {"word:Law", "course:C-1+"}},
                {.kind = Targeting::Kind::is_in, .field = Field::page, .values = {"word:Law"}}};
  read_interests(rule);
  EXPECT_THAT(rule.parts[0].values,
              Contains(fmt::format("word:{:08x}", profile::topic_of(profile::TopicKind::search_word, "law"))));
  EXPECT_THAT(rule.parts[0].values,
              Contains(fmt::format("course:{:08x}+", profile::topic_of(profile::TopicKind::course, "C-1"))));
  EXPECT_THAT(rule.parts[1].values, Contains("word:Law"));
}

TEST(Seen, is_read_back_and_nothing_else_is) {
  const auto seen = read_seen("00c0ffee:4");
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->topic, 0xC0FFEEU);
  EXPECT_EQ(seen->level, 4);
  for (const auto* text : {"", "00c0ffee", "00c0ffee:", "00c0ffee:0", "00c0ffee:5", "00c0ffee:x", "00c0ffee-4",
                           "0xc0ffee:4", "c0ffee:4", "00c0ffee:44"})
    EXPECT_FALSE(read_seen(text)) << text;
}

}  // namespace
}  // namespace marquee::serving
