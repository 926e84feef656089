#include "marquee/learning/features.h"

#include <gtest/gtest.h>

#include <set>

#include "world.h"

namespace marquee::learning {
namespace {

std::vector<Row> rows_for(const FeatureSpec& spec, const std::vector<std::pair<std::string, std::string>>& context) {
  RequestFeatures request(spec);
  for (const auto& [name, value] : context) request.add(name, value);
  request.compile();
  return {request.rows().begin(), request.rows().end()};
}

TEST(FeatureSpec, refuses_terms_that_mean_nothing) {
  for (const char* term : {"", "college*", "college**ad", "ad*campaign", "college*college*ad",
                           "college=", "college=page", "ad=campaign", "college=page=ad", "college*page=ad"}) {
    const auto spec = FeatureSpec::parse({.ad_fields = {{"ad", 13}, {"campaign", 11}}, .terms = {term}});
    ASSERT_FALSE(spec) << term;
    EXPECT_EQ(spec.error().action, Action::reject);
    EXPECT_NE(spec.error().message.find(std::string("\"") + term + "\""), std::string::npos) << spec.error().message;
  }
  EXPECT_FALSE(FeatureSpec::parse({.ad_fields = {{"ad", 17}}, .terms = {}}));
}

TEST(FeatureSpec, parses_its_own_defaults) { EXPECT_TRUE(FeatureSpec::parse({})); }

TEST(FeatureSpec, has_another_fingerprint_when_slots_mean_something_else) {
  std::set<std::uint64_t> fingerprints;
  for (const auto& terms : std::vector<std::vector<std::string>>{{"a"}, {"a", "b"}, {"a*b"}, {"a*ad"}, {"a*campaign"}})
    fingerprints.insert(spec_of(terms).fingerprint());
  fingerprints.insert(FeatureSpec::parse({.ad_fields = {{"ad", 12}}, .terms = {"a"}})->fingerprint());
  EXPECT_EQ(fingerprints.size(), 6U);
}

TEST(RequestFeatures, cross_every_value_of_a_name_with_every_value_of_the_other) {
  const auto spec = spec_of({"college", "word*category", "college*word*ad", "absent*ad"});
  const auto rows = rows_for(spec, {{"college", "3"}, {"word", "exam"}, {"word", "laptop"}, {"unknown", "x"}});
  ASSERT_EQ(rows.size(), 1U + 2U + 2U);
  EXPECT_EQ(rows[0].field, kNoAdField);
  EXPECT_EQ(rows[0].slot(0), rows[0].base);
  std::set<std::uint32_t> bases;
  for (const auto& row : rows) bases.insert(row.base);
  EXPECT_EQ(bases.size(), rows.size());
}

TEST(RequestFeatures, set_apart_all_that_hangs_on_one_name_and_nothing_else) {
  const auto spec = spec_of({"college", "slot", "slot*ad", "college*ad", "college*slot*ad", "college*category"});
  RequestFeatures request(spec);
  const auto fill = [&](const char* slot) {
    request.clear();
    request.add("college", "3");
    request.add("slot", slot);
  };
  fill("top");
  request.compile_apart("slot");
  const std::vector<Row> same(request.rows().begin(), request.rows().end());
  std::vector<Row> all(request.rows_apart().begin(), request.rows_apart().end());
  ASSERT_EQ(same.size(), 3U);
  ASSERT_EQ(all.size(), 3U);
  all.insert(all.end(), same.begin(), same.end());
  const auto together = rows_for(spec, {{"college", "3"}, {"slot", "top"}});
  EXPECT_TRUE(std::ranges::is_permutation(all, together));
  fill("side");
  request.compile_apart("slot");
  EXPECT_TRUE(std::ranges::equal(request.rows(), same));
  EXPECT_FALSE(std::ranges::equal(request.rows_apart(), std::span(all).first(3)));
}

TEST(RequestFeatures, multiply_the_weights_of_what_is_crossed) {
  const auto spec = spec_of({"interest*hour*category"});
  RequestFeatures request(spec);
  request.add("interest", "music", 0.5F);
  request.add_number("hour", -3);
  request.add("interest", "never", std::nanf(""));
  request.compile();
  ASSERT_EQ(request.rows().size(), 1U);
  EXPECT_EQ(request.rows()[0].x, -1.5F);
}

TEST(RequestFeatures, match_an_ads_value_in_one_weight_for_all_values) {
  const auto spec = spec_of({"topic*category", "topic=category"});
  const AdTable ads(spec, make_ads(20, 4));  // Five of each category.
  std::set<std::uint32_t> alike, different;
  for (std::size_t topic = 0; topic < 4; ++topic) {
    const auto rows = rows_for(spec, {{"topic", "category" + std::to_string(topic)}});
    ASSERT_EQ(rows.size(), 2U);
    ASSERT_TRUE(rows[0].is_match && !rows[1].is_match);
    for (std::size_t i = 0; i < ads.size(); ++i)
      (i / 5 == topic ? alike : different).insert(rows[0].slot(ads.ad(i).values[rows[0].field]));
  }
  EXPECT_EQ(alike.size(), 1U);
  EXPECT_EQ(different.size(), 1U);
  EXPECT_NE(alike, different);
}

TEST(RequestFeatures, are_the_same_whatever_order_names_come_in_and_after_clear) {
  const auto spec = spec_of({"a*b*ad", "b*category", "a"});
  RequestFeatures request(spec);
  request.add("a", "left over");
  request.compile();
  request.clear();
  request.add("b", "2");
  request.add("a", "1");
  request.compile();
  const auto straight = rows_for(spec, {{"a", "1"}, {"b", "2"}});
  ASSERT_EQ(request.rows().size(), straight.size());
  for (std::size_t i = 0; i < straight.size(); ++i) {
    EXPECT_EQ(request.rows()[i].base, straight[i].base);
    EXPECT_EQ(request.rows()[i].multiplier, straight[i].multiplier);
  }
}

TEST(RequestFeatures, stop_at_the_most_rows_there_may_be) {
  const auto spec = spec_of({"a*b"});
  RequestFeatures request(spec);
  for (int i = 0; i < 40; ++i) request.add("a", std::to_string(i)), request.add("b", std::to_string(i));
  request.compile();
  EXPECT_EQ(request.rows().size(), RequestFeatures::kMaxRows);
}

// 2,000 ads in a row of 8,192 slots: about 1 - exp(-2000 / 8192) = 22 % share their slot, as random hashing would have
// it; those that share in one row must not share in the next.
TEST(Row, spreads_ads_like_a_random_hash_and_differently_in_each_row) {
  const auto spec = spec_of({"a*ad"});
  const AdTable ads(spec, make_ads(2'000));
  const auto rows = rows_for(spec, {{"a", "1"}, {"a", "2"}});
  const auto slots = [&](const Row& row) {
    std::unordered_map<std::uint32_t, std::vector<std::size_t>> by_slot;
    for (std::size_t i = 0; i < ads.size(); ++i) by_slot[row.slot(ads.ad(i).values[0]) - row.base].push_back(i);
    return by_slot;
  };
  std::size_t sharing = 0, pairs = 0, again = 0;
  for (const auto& [slot, sharers] : slots(rows[0])) {
    EXPECT_LT(slot, 8192U);
    if (sharers.size() < 2) continue;
    sharing += sharers.size();
    for (std::size_t i = 1; i < sharers.size(); ++i) {
      ++pairs;
      again += rows[1].slot(ads.ad(sharers[0]).values[0]) == rows[1].slot(ads.ad(sharers[i]).values[0]);
    }
  }
  EXPECT_NEAR(static_cast<double>(sharing) / 2000, 0.216, 0.06);
  EXPECT_LE(again, 3U) << "of " << pairs;
}

TEST(AdTable, knows_which_ads_have_a_value_in_common) {
  const auto spec = spec_of({"a*category"});
  const AdTable ads(spec, make_ads(100, 4));
  const auto& category = ads.columns()[2];
  EXPECT_EQ(category.distinct.size(), 4U);
  for (std::size_t i = 0; i < ads.size(); ++i) {
    EXPECT_EQ(category.distinct[category.value_of_ad[i]], ads.ad(i).values[2]);
    EXPECT_EQ(ads.ad(i).path.site, ads.ad(0).path.site);
    EXPECT_EQ(ads.ad(i).path.campaign == ads.ad(0).path.campaign, i < 5);
  }
}

}  // namespace
}  // namespace marquee::learning
