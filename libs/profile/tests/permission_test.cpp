#include <gtest/gtest.h>

#include <type_traits>

#include "profile_events.h"

namespace marquee::profile {
namespace {

using event::Consent;
using testing::make_event;

static_assert(!std::is_default_constructible_v<Permission>);
static_assert(!std::is_constructible_v<Permission, ProfileId>);
static_assert(!std::is_constructible_v<Permission, std::uint64_t>);
static_assert(!std::is_aggregate_v<Permission>);
static_assert(!std::is_convertible_v<ProfileId, Permission>);
// Reading and applying take a Permission and nothing that could be made into one.
static_assert(std::is_same_v<decltype(&Profiles::read), std::optional<Profile> (Profiles::*)(const Permission&) const>);
static_assert(std::is_same_v<decltype(&Profiles::apply),
                             Outcome (Profiles::*)(const Permission&, Place, const event::Event&, const EventProps&)>);

/// Counts what reaches the profiles, and lets it through.
class CountingProfiles final : public Profiles {
 public:
  [[nodiscard]] std::optional<Profile> read(const Permission& permission) const override {
    ++reads;
    return store.read(permission);
  }
  Outcome apply(const Permission& permission, Place place, const event::Event& event,
                const EventProps& props) override {
    ++writes;
    return store.apply(permission, place, event, props);
  }
  Outcome forget(ProfileId id, Place place) override {
    ++forgotten;
    return store.forget(id, place);
  }
  mutable int reads = 0;
  int writes = 0, forgotten = 0;
  ProfileStore store{{.capacity = 1'000, .shards = 2, .repeat_window = 1'000}};
};

const std::vector<std::pair<std::string, std::optional<std::uint32_t>>> kAges = {
    {"", std::nullopt},
    {"{}", std::nullopt},
    {R"({"age":0})", 0},
    {R"({"age":17})", 17},
    {R"({"age":18})", 18},
    {R"({"age":64})", 64},
    {R"({"age":"18"})", std::nullopt},
    {R"({"age":18.5})", std::nullopt},
    {R"({"age":-20})", std::nullopt},
    {R"({"age":900})", std::nullopt},
    {R"({"age":null})", std::nullopt},
    {R"({"other":{"age":40}})", std::nullopt},
    {R"({"age":40)", std::nullopt}};

TEST(Permission, is_granted_only_for_full_consent_and_known_age_of_eighteen) {
  for (const Consent consent : {Consent::unknown, Consent::denied, Consent::contextual, Consent::full})
    for (const std::uint64_t user : {0, 7})
      for (const auto& [props, age] : kAges)
        EXPECT_EQ(Permission::grant("campus", user, consent, age).has_value(),
                  consent == Consent::full && user != 0 && age && *age >= 18)
            << props;
}

TEST(Permission, no_profile_is_read_or_written_without_one) {
  CountingProfiles profiles;
  PropsReader reader;
  log::Offset offset = 0;
  std::uint32_t seq = 0;
  int expected = 0;
  for (const Consent consent : {Consent::unknown, Consent::denied, Consent::contextual, Consent::full}) {
    for (const std::uint64_t user : {0, 7}) {
      for (const bool is_bot : {false, true}) {
        for (const auto& [props, age] : kAges) {
          for (std::size_t type = 1; type < event::kTypeNames.size(); ++type) {
            auto event = make_event(user, ++seq, static_cast<event::Type>(type), testing::kNewYear);
            event.consent = consent;
            event.is_bot = is_bot;
            event.props = props;
            event.search_query = "secret";
            const bool may = consent == Consent::full && user != 0 && !is_bot && age && *age >= 18;
            expected += may ? 1 : 0;
            const Outcome outcome = observe(profiles, reader, {0, offset++}, event);
            EXPECT_EQ(outcome == Outcome::applied, may);
            EXPECT_EQ(profiles.writes, expected);
          }
        }
      }
    }
  }
  EXPECT_GT(expected, 0);
  EXPECT_EQ(profiles.reads, 0);
}

TEST(Permission, of_the_young_and_the_unknown_nothing_is_kept) {
  CountingProfiles profiles;
  PropsReader reader;
  log::Offset offset = 0;
  for (std::uint64_t user = 1; user <= 100; ++user) {
    auto event = make_event(user, 1, event::Type::search, testing::kNewYear);
    event.search_query = "secret";
    event.props = user % 2 == 0 ? R"({"age":17})" : R"({"category":"law"})";
    observe(profiles, reader, {0, offset++}, event);
  }
  EXPECT_EQ(profiles.writes, 0);
  EXPECT_EQ(profiles.store.state().profiles, 0U);
}

TEST(Permission, a_profile_goes_when_its_user_turns_out_to_be_under_age) {
  CountingProfiles profiles;
  PropsReader reader;
  observe(profiles, reader, {0, 0}, make_event(7, 1, event::Type::page_view, testing::kNewYear));
  ASSERT_TRUE(profiles.read(testing::permission(7)));
  auto event = make_event(7, 2, event::Type::page_view, testing::kNewYear);
  event.props = R"({"age":15})";
  EXPECT_EQ(observe(profiles, reader, {0, 1}, event), Outcome::forgotten);
  EXPECT_FALSE(profiles.read(testing::permission(7)));
  EXPECT_EQ(profiles.forgotten, 1);
}

}  // namespace
}  // namespace marquee::profile
