// Live rules against what they mean, told over again from the JSON alone.
#include "marquee/serving/live_segments.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "../../profile/tests/profile_events.h"
#include "profile_context.h"

namespace marquee::serving {
namespace {

using Json = nlohmann::json;
using decision::Field;
using profile::Profile;
using profile::Seconds;
using profile::TopicKind;

using Random = std::mt19937_64;

template <class T>
const T& one_of(Random& random, const std::vector<T>& all) {
  return all[random() % all.size()];
}

/// Texts of profile::testing::Crowd, and some that nobody has.
Json random_condition(Random& random) {
  static const std::vector<std::string> kIds = {"a", "b", "c", "h", "nobody's"};
  static const std::vector<std::string> kWords = {"data", "law", "Machine", "ART", "nobody's"};
  static const std::vector<std::string> kKinds = {"course",           "page",    "campaign_seen",
                                                  "campaign_clicked", "ad_seen", "ad_clicked"};
  const auto bound = [&](Json condition, bool is_whole) {
    const auto* name = random() % 3 == 0 ? "fewer_than" : "at_least";
    if (random() % 4 == 0) return condition;
    if (is_whole)
      condition[name] = 1 + random() % 6;
    else
      condition[name] = static_cast<double>(1 + random() % 60) / 10;
    return condition;
  };
  switch (random() % 9) {
    case 0:
      return bound({{"profile", "word:" + one_of(random, kWords)}}, false);
    case 1:
      return bound({{"profile", random() % 4 == 0 ? "category:law" : "category:science"}}, false);
    case 2:
      return bound({{"profile", one_of(random, kKinds) + ":" + one_of(random, kIds)}}, false);
    case 3:
      return bound({{"profile", "visits"}}, true);
    case 4: {
      Json condition = {{"profile", random() % 2 == 0 ? "impressions" : "clicks"}};
      if (random() % 2 == 0) condition["days"] = 1 + random() % 7;
      return bound(std::move(condition), true);
    }
    case 5:
      return {{"profile", one_of<std::string>(random, {"first_seen", "last_seen", "last_impression", "last_click"})},
              {"within", fmt::format("{}{}", 1 + random() % 60, one_of<std::string>(random, {"s", "m", "h", "d"}))}};
    case 6:
      return {{"field", "college"}, {"in", {one_of(random, kIds), one_of(random, kIds)}}};
    case 7:
      return {{"attribute", "grade"}, {"in", Json::array({one_of(random, kIds)})}};
    default:
      return {{"field", "interest"}, {"in", {"word:" + one_of(random, kWords), "category:science+"}}};
  }
}

Json random_rule(Random& random, int depth) {
  if (depth == 0 || random() % 3 == 0) return random_condition(random);
  if (random() % 4 == 0) return {{"not", random_rule(random, depth - 1)}};
  Json parts = Json::array();
  for (auto left = 1 + random() % 3; left > 0; --left) parts.push_back(random_rule(random, depth - 1));
  return {{random() % 2 == 0 ? "all" : "any", std::move(parts)}};
}

/// What is known of one user at a moment, beside the profile.
struct Moment {
  Seconds now;
  std::string college, grade;
};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

double weight_of(const Profile& profile, const std::string& what, Seconds now) {
  static const std::vector<std::pair<std::string, TopicKind>> kKinds = {
      {"word", TopicKind::search_word},
      {"course", TopicKind::course},
      {"category", TopicKind::category},
      {"page", TopicKind::page},
      {"campaign_seen", TopicKind::campaign_seen},
      {"campaign_clicked", TopicKind::campaign_clicked},
      {"ad_seen", TopicKind::ad_seen},
      {"ad_clicked", TopicKind::ad_clicked}};
  const auto colon = what.find(':');
  for (const auto& [name, kind] : kKinds)
    if (what.substr(0, colon) == name) {
      const auto text = what.substr(colon + 1);
      const auto topic = profile::topic_of(kind, kind == TopicKind::search_word ? lower(text) : text);
      for (const auto& one : profile.interests(kind, now))
        if (one.topic == topic) return one.weight;
    }
  return 0;
}

/// A user's strongest two of the kind, of a half at least.
bool is_interest(const Profile& profile, std::string value, Seconds now) {
  const bool is_strong = value.ends_with('+');
  if (is_strong) value.pop_back();
  const auto kind = value.starts_with("word:") ? TopicKind::search_word : TopicKind::category;
  const auto text = value.substr(value.find(':') + 1);
  const auto topic = profile::topic_of(kind, kind == TopicKind::search_word ? lower(text) : text);
  const auto all = profile.interests(kind, now);
  for (std::size_t i = 0; i < std::min<std::size_t>(all.size(), 2); ++i)
    if (all[i].topic == topic) return all[i].weight >= (is_strong ? 2.5 : 0.5);
  return false;
}

bool has(const Json& values, const std::string& value) {
  return std::ranges::find(values, Json(value)) != values.end();
}

bool means(const Json& rule, const Profile& profile, const Moment& moment) {
  const auto part = [&](const Json& one) { return means(one, profile, moment); };
  if (rule.contains("all")) return std::ranges::all_of(rule["all"], part);
  if (rule.contains("any")) return std::ranges::any_of(rule["any"], part);
  if (rule.contains("not")) return !part(rule["not"]);
  if (rule.contains("attribute")) return has(rule["in"], moment.grade);
  if (rule.contains("field") && rule["field"] == "college") return has(rule["in"], moment.college);
  if (rule.contains("field"))
    return std::ranges::any_of(rule["in"], [&](const Json& value) { return is_interest(profile, value, moment.now); });
  const std::string what = rule["profile"];
  if (rule.contains("within")) {
    const std::string span = rule["within"];
    const Seconds unit = span.back() == 's' ? 1 : span.back() == 'm' ? 60 : span.back() == 'h' ? 3'600 : 86'400;
    const auto within = static_cast<Seconds>(std::stoul(span)) * unit;
    const auto then = what == "first_seen"        ? profile.first_seen()
                      : what == "last_seen"       ? profile.last_seen()
                      : what == "last_impression" ? profile.last_impression()
                                                  : profile.last_click();
    return then != 0 && then + within >= moment.now;
  }
  const auto days = rule.value("days", 0U);
  const bool is_topic = what.find(':') != std::string::npos;
  const double count = is_topic           ? weight_of(profile, what, moment.now)
                       : what == "visits" ? profile.visits()
                       : what == "impressions"
                           ? (days > 0 ? profile.impressions(days, moment.now) : profile.impressions())
                       : days > 0 ? profile.clicks(days, moment.now)
                                  : profile.clicks();
  if (rule.contains("fewer_than")) return count < rule["fewer_than"].get<double>();
  return count >= rule.value("at_least", is_topic ? 0.5 : 1.0);
}

class LiveRulesOfSeed : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(LiveRulesOfSeed, hold_where_what_they_say_does) {
  SCOPED_TRACE(GetParam());
  Random random(GetParam());
  constexpr std::uint64_t kUsers = 40;
  profile::ProfileStore store({.partitions = 1, .capacity = 1'000});
  profile::testing::Crowd crowd(GetParam(), kUsers);
  profile::PropsReader reader;
  Seconds latest = 0;
  for (log::Offset at = 0; at < 2'000; ++at) {
    const auto event = crowd.next();
    latest = std::max(latest, static_cast<Seconds>(event.event_time_ms / 1'000));
    observe(store, reader, {0, at}, event);
  }
  int held = 0, all = 0;
  for (int i = 0; i < 300; ++i) {
    const auto rule = random_rule(random, 3);
    const auto read = LiveRule::read(rule.dump());
    ASSERT_TRUE(read) << rule.dump() << ": " << read.error().message;
    for (std::uint64_t user = 1; user <= kUsers; user += 3) {
      const auto profile = store.read(profile::testing::permission(user));
      ASSERT_TRUE(profile);
      const Moment moment{.now = latest + static_cast<Seconds>(random() % (10 * 86'400)),
                          .college = one_of<std::string>(random, {"a", "b", "z"}),
                          .grade = one_of<std::string>(random, {"a", "c", "z"})};
      decision::Context context{.time_ms = std::int64_t{moment.now} * 1'000};
      context.add(Field::college, moment.college);
      context.add(Field::attribute, moment.grade, "grade");
      std::string texts;
      describe_profile(*profile, texts, context);
      const bool expected = means(rule, *profile, moment);
      ASSERT_EQ(read->holds(*profile, context), expected) << rule.dump() << " of user " << user << " at " << moment.now;
      held += expected ? 1 : 0;
      ++all;
    }
  }
  EXPECT_GT(held, all / 10) << "hardly any rule held: nothing is compared";
  EXPECT_LT(held, all * 9 / 10);
}
INSTANTIATE_TEST_SUITE_P(Seeds, LiveRulesOfSeed, ::testing::Range<std::uint64_t>(1, 9));

TEST(LiveRule, names_what_is_wrong_and_where) {
  const auto why = [](std::string_view rule) {
    const auto read = LiveRule::read(rule);
    return read ? "" : read.error().message;
  };
  EXPECT_EQ(why(R"({"profile": "category:law"})"), "");
  EXPECT_EQ(why("{"), "rule: expected JSON");
  EXPECT_EQ(why(R"({"all": []})"), "rule.all: expected a list of at least one condition");
  EXPECT_EQ(why(R"({"all": [{"profile": "visits", "days": 2}]})"),
            "rule.all[0].days: visits are known in all, not by day");
  EXPECT_EQ(why(R"({"profile": "clicks", "days": 8})"), "rule.days: expected a whole number from 1 to 7");
  EXPECT_EQ(why(R"({"profile": "clicks", "at_least": 1.5})"), "rule.at_least: expected a whole number above 0");
  EXPECT_EQ(why(R"({"profile": "category:law", "at_least": 1, "fewer_than": 2})"),
            "rule.at_least: not beside fewer_than");
  EXPECT_EQ(why(R"({"profile": "last_click", "within": "2 days"})"),
            "rule.within: expected a span from 1s to 366d, like 24h");
  EXPECT_EQ(why(R"({"profile": "category:law", "atleast": 1})"), "rule.atleast: there is no such member here");
  EXPECT_NE(why(R"({"profile": "mood:good"})"), "");
  for (const auto* rule : {R"({"field": "page", "in": ["home"]})", R"({"field": "segment", "in": ["x"]})",
                           R"({"within": {"from": "08:00", "to": "12:00"}})", R"({})"})
    EXPECT_NE(why(rule).find("a live segment is of users"), std::string::npos) << rule;
  std::string deep = R"({"profile": "visits"})";
  for (int i = 0; i < 12; ++i) deep = R"({"not": )" + deep + "}";
  EXPECT_NE(why(deep).find("at most 12 conditions within another"), std::string::npos);
}

}  // namespace
}  // namespace marquee::serving
