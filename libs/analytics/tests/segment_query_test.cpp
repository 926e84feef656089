#include "segment_query.h"

#include <gtest/gtest.h>

#include "user_dimensions.h"

namespace marquee::analytics {
namespace {

SegmentRule happened(std::string type, std::int64_t from_ms, std::int64_t to_ms, bool is_fewer = false) {
  SegmentRule rule;
  rule.condition = {
      .match = {.types = {std::move(type)}}, .from_ms = from_ms, .to_ms = to_ms, .count = 1, .is_fewer = is_fewer};
  return rule;
}

SegmentQuery query_of(const SegmentRule& rule) {
  const auto query = segment_query(rule, {.site = "campus", .from_ms = {}, .to_ms = {}});
  EXPECT_TRUE(query) << query.error().message;
  return query ? *query : SegmentQuery{};
}

TEST(SegmentQuery, reads_only_the_time_of_its_conditions_where_one_of_them_must_hold) {
  SegmentRule any{.kind = SegmentRule::Kind::any,
                  .parts = {happened("click", 2000, 5000), happened("search", 1000, 3000)}};
  auto query = query_of(any);
  EXPECT_EQ(query.data.from_ms, 1000);
  EXPECT_EQ(query.data.to_ms, 5000);
  any.parts.front().condition.to_ms.reset();
  query = query_of(any);
  EXPECT_EQ(query.data.from_ms, 1000);
  EXPECT_FALSE(query.data.to_ms);
}

TEST(SegmentQuery, looks_at_every_user_where_the_rule_holds_of_who_has_no_such_event) {
  const auto fewer = happened("click", 2000, 5000, /*is_fewer=*/true);
  const auto some = happened("search", 2000, 5000);
  const auto whole = [](const SegmentRule& rule) { return !query_of(rule).data.from_ms; };
  using Kind = SegmentRule::Kind;
  EXPECT_TRUE(whole(fewer));
  EXPECT_TRUE(whole({.kind = Kind::none, .parts = {some}}));
  EXPECT_FALSE(whole({.kind = Kind::none, .parts = {fewer}}));
  EXPECT_FALSE(whole({.kind = Kind::all, .parts = {fewer, some}}));
  EXPECT_TRUE(whole({.kind = Kind::any, .parts = {fewer, some}}));
  EXPECT_FALSE(whole(some));
}

TEST(SegmentQuery, has_no_value_in_its_text) {
  auto rule = happened("click", 2000, 5000);
  rule.condition.match.filters = {{"device", {"it's"}}, {"arm.it's", {"a"}}};
  const auto query = query_of(rule);
  EXPECT_EQ(query.sql.find("it's"), std::string::npos) << query.sql;
  EXPECT_EQ(query.sql.find("2000"), std::string::npos) << query.sql;
  EXPECT_FALSE(query.data.from_ms) << "the exposure may be older than what counts";
}

TEST(SegmentDefinition, is_refused_where_it_makes_no_sense) {
  auto rule = happened("click", 2000, 5000);
  EXPECT_TRUE(check(SegmentDefinition(rule)));
  rule.condition.to_ms = 2000;
  EXPECT_FALSE(check(SegmentDefinition(rule)));
  EXPECT_FALSE(check(SegmentDefinition(happened("fly", 0, 1))));
  EXPECT_FALSE(check(SegmentDefinition(SegmentRule{.kind = SegmentRule::Kind::any})));
  EXPECT_FALSE(check(SegmentDefinition(std::vector<std::uint64_t>{1, 0})));
  EXPECT_FALSE(check(SegmentDefinition(std::vector<std::uint64_t>(200'001, 1))));
  EXPECT_TRUE(check(SegmentDefinition(std::vector<std::uint64_t>{})));
}

TEST(SegmentCondition, names_a_segment_that_there_is_not) {
  clickhouse::Parameters parameters;
  Scope scope{.site = "campus", .from_ms = {}, .to_ms = {}};
  scope.segments = {{"a", 7}, {"b", 9}};
  EXPECT_FALSE(segment_condition({"segment", {"c"}}, scope, parameters, "filter0"));
  ASSERT_TRUE(segment_condition({"segment", {"b", ""}}, scope, parameters, "filter0"));
  EXPECT_EQ(parameters.at("filter0"), "[9]");
  EXPECT_EQ(parameters.at("filter0_all"), "[7,9]");
}

}  // namespace
}  // namespace marquee::analytics
