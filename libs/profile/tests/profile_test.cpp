#include "marquee/profile/profile.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <map>

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
  const Profile profile(record);
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
  const double kept = Profile(record).weight(TopicKind::course, topic, last);
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
  const Profile profile(record);
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
  EXPECT_EQ(Profile(record).weight(TopicKind::search_word, topic, later), 0);
  EXPECT_TRUE(Profile(record).interests(TopicKind::search_word, later).empty());
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
  const Profile profile(record);
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

TEST(Sighting, a_click_tells_of_the_category_of_its_ad_and_an_impression_does_not) {
  ProfileRecord record{};
  EventProps props;
  props.category = "law";
  const Topic law = topic_of(TopicKind::category, "law");
  take_in(record, impression(kStart), props);
  EXPECT_EQ(Profile(record).weight(TopicKind::category, law, kStart), 0);
  take_in(record, impression(kStart, event::Type::click), props);
  EXPECT_NEAR(Profile(record).weight(TopicKind::category, law, kStart), 2, 0.01);
}

TEST(Sighting, of_late_events_counts_on_their_day) {
  ProfileRecord record{};
  take_in(record, impression(kStart + 2 * kDayS), {});
  take_in(record, impression(kStart), {});
  const Profile profile(record);
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
