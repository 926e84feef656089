#include "marquee/profile/segment_memberships.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "profile_events.h"

namespace marquee::profile {
namespace {

using testing::permission;

/// The lists of users by version, in memory.
class Lists final : public SegmentUsers {
 public:
  [[nodiscard]] Result<void> read(const SegmentVersion& segment,
                                  const std::function<void(std::uint64_t)>& on_user) override {
    ++reads;
    for (const std::uint64_t user : of_version[segment.version]) {
      on_user(user);
      if (fails_at == segment.version) return Error::retry("the store is away");
    }
    return {};
  }
  std::map<std::uint64_t, std::set<std::uint64_t>> of_version;
  std::uint64_t fails_at = 0;
  int reads = 0;
};

bool is_in(const SegmentView& view, const char* segment, std::uint64_t user) {
  const auto site = view.find("campus");
  if (site == view.end()) return false;
  const auto bit = site->second->bit(segment);
  return bit && (site->second->memberships(permission(user)) >> *bit & 1) != 0;
}

TEST(SegmentMemberships, are_those_of_the_versions_that_hold) {
  Lists lists;
  lists.of_version = {{1, {1, 2, 3}}, {2, {3, 4}}, {3, {1}}, {4, {}}};
  SegmentMemberships memberships(lists);
  EXPECT_FALSE(is_in(*memberships.view(), "new", 1));
  ASSERT_TRUE(memberships.refresh({{"campus", "new", 1}, {"campus", "busy", 2}, {"other", "new", 3}}));
  const auto first = memberships.view();
  EXPECT_TRUE(is_in(*first, "new", 1));
  EXPECT_TRUE(is_in(*first, "new", 3));
  EXPECT_TRUE(is_in(*first, "busy", 3));
  EXPECT_FALSE(is_in(*first, "busy", 1));
  EXPECT_FALSE(is_in(*first, "none", 1));
  EXPECT_EQ(lists.reads, 3);

  ASSERT_TRUE(memberships.refresh({{"campus", "new", 3}, {"campus", "busy", 2}}));
  EXPECT_EQ(lists.reads, 4) << "only what has another version is read";
  EXPECT_TRUE(is_in(*memberships.view(), "new", 1));
  EXPECT_FALSE(is_in(*memberships.view(), "new", 2));
  EXPECT_TRUE(is_in(*memberships.view(), "busy", 4));
  EXPECT_FALSE(memberships.view()->contains("other"));
  EXPECT_TRUE(is_in(*first, "new", 2)) << "a view stays as it is";

  // What takes a bit that was another's has none of its users.
  ASSERT_TRUE(memberships.refresh({{"campus", "busy", 2}, {"campus", "late", 4}}));
  for (std::uint64_t user = 1; user <= 4; ++user) EXPECT_FALSE(is_in(*memberships.view(), "late", user));
}

TEST(SegmentMemberships, keep_a_segment_that_cannot_be_read) {
  Lists lists;
  lists.of_version = {{1, {1, 2}}, {2, {5, 6, 7}}, {3, {9}}};
  SegmentMemberships memberships(lists);
  ASSERT_TRUE(memberships.refresh({{"campus", "new", 1}}));
  lists.fails_at = 2;
  EXPECT_FALSE(memberships.refresh({{"campus", "new", 2}, {"campus", "other", 3}}));
  EXPECT_TRUE(is_in(*memberships.view(), "new", 1));
  EXPECT_FALSE(is_in(*memberships.view(), "new", 5)) << "half a list was taken";
  EXPECT_TRUE(is_in(*memberships.view(), "other", 9));
  lists.fails_at = 0;
  EXPECT_TRUE(memberships.refresh({{"campus", "new", 2}, {"campus", "other", 3}}));
  EXPECT_TRUE(is_in(*memberships.view(), "new", 5));
  EXPECT_FALSE(is_in(*memberships.view(), "new", 1));
}

TEST(SegmentMemberships, are_of_sixty_four_segments_of_a_site_and_no_more) {
  Lists lists;
  std::mt19937_64 random(5);
  std::vector<SegmentVersion> segments;
  for (std::uint64_t version = 1; version <= 64; ++version) {
    for (int i = 0; i < 50; ++i) lists.of_version[version].insert(random() % 500 + 1);
    segments.push_back({"campus", std::to_string(version), version});
  }
  SegmentMemberships memberships(lists);
  ASSERT_TRUE(memberships.refresh(segments));
  const auto view = memberships.view();
  for (std::uint64_t version = 1; version <= 64; ++version)
    for (std::uint64_t user = 1; user <= 500; ++user)
      ASSERT_EQ(is_in(*view, std::to_string(version).c_str(), user), lists.of_version[version].contains(user));
  const auto& site = *view->find("campus")->second;
  EXPECT_LE(site.bytes(), site.users() * 20 + 16);
  segments.push_back({"campus", "one too many", 1});
  const auto refused = memberships.refresh(segments);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().action, Action::reject);
  EXPECT_EQ(memberships.view(), view);
}

}  // namespace
}  // namespace marquee::profile
