#include "marquee/decision/names.h"

#include <gtest/gtest.h>

#include "marquee/decision/request.h"

namespace marquee::decision {
namespace {

template <class Choice>
void expect_each_to_be_read_back(Choice last) {
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    const auto choice = static_cast<Choice>(i);
    EXPECT_FALSE(name(choice).empty()) << i;
    EXPECT_EQ(parse<Choice>(name(choice)), choice) << name(choice);
  }
  EXPECT_EQ(parse<Choice>("no such"), std::nullopt);
  EXPECT_EQ(parse<Choice>(""), std::nullopt);
}

TEST(Names, AreReadBackAsWhatTheyAreOf) {
  expect_each_to_be_read_back(Tier::house);
  expect_each_to_be_read_back(Status::ended);
  expect_each_to_be_read_back(Pacing::front_loaded);
  expect_each_to_be_read_back(Price::per_click);
  expect_each_to_be_read_back(CapScope::advertiser);
  expect_each_to_be_read_back(Field::attribute);
  expect_each_to_be_read_back(Creative::Kind::html);
}

TEST(Names, OfPoliciesAreKnownWithoutTheirVersion) {
  EXPECT_EQ(without_version("learned-17"), "learned");
  EXPECT_EQ(without_version("uniform-1"), "uniform");
  EXPECT_EQ(without_version("bandit-a-2"), "bandit-a");
  for (const auto* whole : {"", "random", "bts-", "-3", "7", "top10"}) EXPECT_EQ(without_version(whole), whole);
}

}  // namespace
}  // namespace marquee::decision
