#include "marquee/profile/clusters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "profile_events.h"
#include "sighting.h"

namespace marquee::profile {
namespace {

using testing::kNewYear;
using testing::make_event;

/// Who looks at courses of one category mostly, and at one of another now and then.
Profile user_of(std::string_view category, std::string_view other, std::mt19937_64& random) {
  ProfileRecord record{};
  for (std::uint32_t seq = 1; seq <= 12; ++seq) {
    const auto event = make_event(1, seq, event::Type::course_view, kNewYear + seq);
    EventProps props;
    props.category = random() % 4 == 0 ? other : category;
    take_in(record, event, props);
  }
  return Profile(record);
}

std::string text_of(TopicKind kind, Topic topic) {
  for (const char* one : {"law", "art", "medicine", "noise 0", "noise 1", "noise 2"})
    if (topic_of(kind, one) == topic) return one;
  return "";
}

TEST(Clusters, are_the_groups_that_there_are_and_are_called_by_what_they_like) {
  constexpr std::uint64_t kSeed = 4;
  std::mt19937_64 random(kSeed);
  const std::vector<std::string> groups = {"law", "art", "medicine"};
  std::vector<Profile> sample;
  for (int i = 0; i < 900; ++i)
    sample.push_back(user_of(groups[static_cast<std::size_t>(i) % 3], "noise " + std::to_string(random() % 3), random));
  const Clusters clusters(sample, kNewYear, {});
  auto names = names_of(clusters, text_of);
  EXPECT_EQ(std::set(names.begin(), names.end()), (std::set<std::string>{"art", "law", "medicine"}));
  for (std::size_t i = 0; i < clusters.size(); ++i) EXPECT_GT(clusters.users(i), 250U) << names[i];
  // Whoever is new comes to a cluster of their group.
  int right = 0;
  for (int i = 0; i < 300; ++i) {
    const auto& group = groups[static_cast<std::size_t>(i) % 3];
    const auto found = clusters.of(user_of(group, "noise 1", random), kNewYear);
    right += found && names[*found] == group ? 1 : 0;
  }
  EXPECT_GT(right, 290) << "seed " << kSeed;
  // The same sample gives the same clusters.
  const Clusters again(sample, kNewYear, {});
  EXPECT_EQ(names_of(again, text_of), names);
}

TEST(Clusters, take_nobody_who_is_like_none_of_them) {
  std::mt19937_64 random(1);
  std::vector<Profile> sample;
  for (int i = 0; i < 200; ++i) sample.push_back(user_of("law", "law", random));
  const Clusters clusters(sample, kNewYear, {});
  ASSERT_GT(clusters.size(), 0U);
  EXPECT_TRUE(clusters.of(sample.front(), kNewYear));
  EXPECT_FALSE(clusters.of(user_of("art", "art", random), kNewYear));
  EXPECT_FALSE(clusters.of(Profile(), kNewYear));
}

TEST(Clusters, are_none_of_too_few_users) {
  std::mt19937_64 random(1);
  std::vector<Profile> sample;
  for (int i = 0; i < 19; ++i) sample.push_back(user_of("law", "law", random));
  EXPECT_EQ(Clusters(sample, kNewYear, {}).size(), 0U);
  EXPECT_FALSE(Clusters().of(sample.front(), kNewYear));
}

TEST(Clusters, without_a_text_for_any_topic_have_no_name) {
  std::mt19937_64 random(1);
  std::vector<Profile> sample;
  for (int i = 0; i < 100; ++i) sample.push_back(user_of("law", "law", random));
  const Clusters clusters(sample, kNewYear, {});
  ASSERT_GT(clusters.size(), 0U);
  const auto names = names_of(clusters, [](TopicKind, Topic) { return std::string(); });
  EXPECT_TRUE(std::ranges::all_of(names, &std::string::empty));
}

}  // namespace
}  // namespace marquee::profile
