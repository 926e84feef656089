#include "marquee/profile/profile.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>

#include "cap_log.h"
#include "decayed.h"
#include "sighting.h"

namespace marquee::profile {
namespace {

constexpr Seconds kStart = 1'767'225'600;

ProfileRecord seen_at(Seconds time) {
  ProfileRecord record{};
  record.first_seen = record.last_seen = time;
  record.day = static_cast<std::uint16_t>(time / kDayS);
  return record;
}

TEST(DecayedCount, halves_in_its_half_life) {
  auto record = seen_at(kStart);
  const Topic topic = topic_of(TopicKind::search_word, "law");
  for (int i = 0; i < 8; ++i) add_topic(record, TopicKind::search_word, topic, kStart, 1);
  const Profile profile(record, {});
  EXPECT_NEAR(profile.weight(TopicKind::search_word, topic, kStart), 8, 0.05);
  EXPECT_NEAR(profile.weight(TopicKind::search_word, topic, kStart + 3 * kDayS), 4, 0.03);
  EXPECT_NEAR(profile.weight(TopicKind::search_word, topic, kStart + 30 * kDayS), 8.0 / 1'024, 0.001);
  EXPECT_EQ(profile.weight(TopicKind::search_word, topic + 1, kStart), 0);
}

RC_GTEST_PROP(DecayedCount, is_that_of_doubles_within_two_percent, ()) {
  auto record = seen_at(kStart);
  const Topic topic = 5;
  const auto count = *rc::gen::inRange(1, 300);
  double exact = 0;
  Seconds last = kStart;
  const double half_life = room(TopicKind::course).half_life_s;
  for (int i = 0; i < count; ++i) {
    const Seconds time = last + *rc::gen::inRange<Seconds>(0, 20'000);
    const auto amount = *rc::gen::inRange<std::uint32_t>(1, 3);
    exact = exact * std::exp2(-static_cast<double>(time - last) / half_life) + amount;
    record.last_seen = last = time;
    add_topic(record, TopicKind::course, topic, time, amount);
  }
  const double kept = Profile(record, {}).weight(TopicKind::course, topic, last);
  RC_ASSERT(std::abs(kept - exact) < 0.02 * exact);
}

RC_GTEST_PROP(DecayedCount, keeps_every_topic_that_is_more_than_its_share, ()) {
  auto record = seen_at(kStart);
  std::map<Topic, double> exact;
  Seconds last = kStart;
  const TopicRoom& places = room(TopicKind::search_word);
  double sum = 0;
  for (int i = 0; i < 400; ++i) {
    const Seconds time = last + *rc::gen::inRange<Seconds>(0, 3'000);
    // Few common topics, many rare ones.
    const Topic topic = *rc::gen::oneOf(rc::gen::inRange<Topic>(1, 4), rc::gen::inRange<Topic>(4, 400));
    const double faded = std::exp2(-static_cast<double>(time - last) / places.half_life_s);
    for (auto& [kept, weight] : exact) weight *= faded;
    sum = sum * faded + 1;
    exact[topic] += 1;
    record.last_seen = last = time;
    add_topic(record, TopicKind::search_word, topic, time, 1);
  }
  const Profile profile(record, {});
  for (const auto& [topic, weight] : exact) {
    const double kept = profile.weight(TopicKind::search_word, topic, last);
    if (weight > 1.02 * sum / places.count) RC_ASSERT(kept > 0);
    if (kept > 0) RC_ASSERT(kept > 0.98 * weight);
  }
}

TEST(DecayedCount, is_let_go_when_it_is_faint_and_does_not_come_back) {
  auto record = seen_at(kStart);
  const Topic topic = topic_of(TopicKind::search_word, "law");
  add_topic(record, TopicKind::search_word, topic, kStart, 1);
  // Modulo 64 half-lives the count would look like new.
  const Seconds later = kStart + 64 * room(TopicKind::search_word).half_life_s;
  drop_faint_topics(record, later);
  record.last_seen = later;
  EXPECT_EQ(Profile(record, {}).weight(TopicKind::search_word, topic, later), 0);
  EXPECT_TRUE(Profile(record, {}).interests(TopicKind::search_word, later).empty());
}

/// All impressions, and nothing clever.
struct Impressions {
  std::deque<std::pair<CapKey, Seconds>> all;
  [[nodiscard]] std::uint32_t within(CapKey key, std::uint32_t window, Seconds now) const {
    return static_cast<std::uint32_t>(std::ranges::count_if(
        all, [&](const auto& one) { return one.first == key && std::uint64_t{one.second} + window > now; }));
  }
};

RC_GTEST_PROP(CapLog, tells_every_cap_exactly_while_there_is_room, ()) {
  CapRules rules;
  std::vector<CapRule> of_key(6);
  for (std::size_t k = 0; k < of_key.size(); ++k) {
    of_key[k] = {*rc::gen::inRange<std::uint32_t>(1, 6), *rc::gen::inRange<std::uint32_t>(1, 200'000)};
    RC_ASSERT(rules.add(CapScope::ad, std::to_string(k), of_key[k]).has_value());
  }
  Impressions exact;
  CapLog caps({}, kStart);
  Seconds now = kStart;
  for (int i = 0; i < 200; ++i) {
    const bool is_long_pause = *rc::gen::inRange(0, 50) == 0;
    now += *rc::gen::inRange<Seconds>(0, is_long_pause ? 300 * kDayS : 5'000);
    const auto k = *rc::gen::inRange<std::size_t>(0, of_key.size());
    const CapKey key = cap_key(CapScope::ad, std::to_string(k));
    caps.advance(now);
    const Seconds time = now - *rc::gen::inRange<Seconds>(0, 10'000);
    RC_ASSERT(caps.add(key, time, rules, 118));
    exact.all.emplace_back(key, time);
    for (std::size_t other = 0; other < of_key.size(); ++other) {
      const CapKey asked = cap_key(CapScope::ad, std::to_string(other));
      // Caps of the rule and smaller ones, at once and later.
      const auto window = *rc::gen::inRange<std::uint32_t>(1, of_key[other].window_s + 1);
      const Seconds when = now + *rc::gen::inRange<Seconds>(0, 1'000);
      RC_ASSERT(std::min(count_impressions(caps.words(), now, asked, window, when), of_key[other].count) ==
                std::min(exact.within(asked, window, when), of_key[other].count));
    }
  }
}

RC_GTEST_PROP(CapLog, never_tells_too_few_when_room_is_short, ()) {
  CapRules rules;
  for (int k = 0; k < 4; ++k) RC_ASSERT(rules.add(CapScope::ad, std::to_string(k), {50, 100'000}).has_value());
  Impressions exact;
  CapLog caps({}, kStart);
  Seconds now = kStart;
  for (int i = 0; i < 100; ++i) {
    now += *rc::gen::inRange<Seconds>(0, 3'000);
    const CapKey key = cap_key(CapScope::ad, std::to_string(*rc::gen::inRange(0, 4)));
    caps.advance(now);
    RC_ASSERT(caps.add(key, now, rules, 8));
    exact.all.emplace_back(key, now);
    RC_ASSERT(caps.words().size() <= 8U);
    for (int other = 0; other < 4; ++other) {
      const CapKey asked = cap_key(CapScope::ad, std::to_string(other));
      const auto window = *rc::gen::inRange<std::uint32_t>(1, 100'001);
      RC_ASSERT(std::min(count_impressions(caps.words(), now, asked, window, now), 50U) >=
                std::min(exact.within(asked, window, now), 50U));
    }
  }
}

TEST(CapLog, does_not_take_what_is_half_a_year_old_for_new) {
  CapRules rules;
  ASSERT_TRUE(rules.add(CapScope::ad, "a", {3, 60}));
  const CapKey key = cap_key(CapScope::ad, "a");
  CapLog caps({}, kStart);
  ASSERT_TRUE(caps.add(key, kStart, rules, 6));
  // After so long its 24 bits say the same second again.
  const Seconds later = kStart + (1U << 24);
  caps.advance(later);
  EXPECT_EQ(count_impressions(caps.words(), later, key, 60, later), 0U);
}

TEST(CapRules, refuse_what_could_not_be_remembered) {
  CapRules rules;
  EXPECT_FALSE(rules.add(CapScope::ad, "a", {0, 10}));
  EXPECT_FALSE(rules.add(CapScope::ad, "a", {1, 0}));
  EXPECT_FALSE(rules.add(CapScope::ad, "a", {101, 10}));
  EXPECT_FALSE(rules.add(CapScope::ad, "a", {1, kLongestCapS + 1}));
  EXPECT_TRUE(rules.empty());
  EXPECT_TRUE(rules.add(CapScope::ad, "a", {5, 60}));
  EXPECT_TRUE(rules.add(CapScope::ad, "a", {1, 3'600}));
  const CapRule* rule = rules.find(cap_key(CapScope::ad, "a"));
  ASSERT_NE(rule, nullptr);
  EXPECT_EQ(rule->count, 5U);
  EXPECT_EQ(rule->window_s, 3'600U);
  EXPECT_EQ(rules.find(cap_key(CapScope::campaign, "a")), nullptr);
}

event::Event impression(Seconds time, event::Type type = event::Type::impression) {
  event::Event event;
  event.type = type;
  event.event_time_ms = std::int64_t{time} * 1'000;
  event.ad_id = "a";
  event.campaign_id = "c";
  return event;
}

TEST(Sighting, tells_recency_and_frequency) {
  ProfileRecord record{};
  take_in(record, impression(kStart), {});
  take_in(record, impression(kStart + 60), {});
  take_in(record, impression(kStart + 120, event::Type::click), {});
  take_in(record, impression(kStart + 120 + kVisitGapS + 1), {});
  take_in(record, impression(kStart + 3 * kDayS), {});
  const Profile profile(record, {});
  const Seconds now = kStart + 3 * kDayS;
  EXPECT_EQ(profile.first_seen(), kStart);
  EXPECT_EQ(profile.last_seen(), now);
  EXPECT_EQ(profile.last_click(), kStart + 120);
  EXPECT_EQ(profile.last_impression(), now);
  EXPECT_EQ(profile.visits(), 3U);
  EXPECT_EQ(profile.impressions(), 4U);
  EXPECT_EQ(profile.impressions(1, now), 1U);
  EXPECT_EQ(profile.impressions(3, now), 1U);
  EXPECT_EQ(profile.impressions(4, now), 4U);
  EXPECT_EQ(profile.impressions(7, now + 6 * kDayS), 1U);
  EXPECT_EQ(profile.impressions(7, now + 7 * kDayS), 0U);
  EXPECT_EQ(profile.clicks(7, now), 1U);
  EXPECT_EQ(profile.clicks(3, now), 0U);
  EXPECT_NEAR(profile.weight(TopicKind::ad_clicked, topic_of(TopicKind::ad_clicked, "a"), kStart + 120), 1, 0.01);
}

TEST(Sighting, of_late_events_counts_on_their_day) {
  ProfileRecord record{};
  take_in(record, impression(kStart + 2 * kDayS), {});
  take_in(record, impression(kStart), {});
  const Profile profile(record, {});
  EXPECT_EQ(profile.first_seen(), kStart);
  EXPECT_EQ(profile.last_impression(), kStart + 2 * kDayS);
  EXPECT_EQ(profile.impressions(2, kStart + 2 * kDayS), 1U);
  EXPECT_EQ(profile.impressions(3, kStart + 2 * kDayS), 2U);
  EXPECT_EQ(profile.visits(), 1U);
}

TEST(Words, are_lower_case_and_few) {
  std::vector<std::string> words;
  for_each_word("Machine-Learning, a \xE0\xA4\x95\xE0\xA4\xBE C++ 2nd",
                [&](std::string_view w) { words.emplace_back(w); });
  EXPECT_EQ(words, (std::vector<std::string>{"machine", "learning", "\xE0\xA4\x95\xE0\xA4\xBE", "2nd"}));
  int count = 0;
  for_each_word("aa bb cc dd ee ff gg hh ii jj", [&](std::string_view) { ++count; });
  EXPECT_EQ(count, 8);
}

}  // namespace
}  // namespace marquee::profile
