#include "marquee/evaluation/read_decisions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace marquee::evaluation {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Rows = std::vector<std::vector<std::string>>;

/// The rows, from line 1 on.
NextRow rows(Rows rows) {
  return [rows = std::move(rows), at = std::size_t{0}](TextRow& row) mutable -> Result<bool> {
    if (at == rows.size()) return false;
    row.fields.assign(rows[at].begin(), rows[at].end());
    row.line = ++at;
    return true;
  };
}

NextRow lines(std::initializer_list<std::string> lines) {
  Rows all;
  for (const auto& line : lines) all.push_back({line});
  return rows(std::move(all));
}

std::string csv_refusal(const Rows& table) {
  const auto log = read_decision_csv(rows(table));
  EXPECT_FALSE(log);
  return log ? "" : log.error().message;
}

std::string line_refusal(std::initializer_list<std::string> all) {
  const auto log = read_decision_lines(lines(all));
  EXPECT_FALSE(log);
  return log ? "" : log.error().message;
}

TEST(ReadDecisions, takes_marquees_csv_with_other_columns_as_context) {
  const auto log = read_decision_csv(rows({{"ad_id", "position", "reward", "propensity", "college"},
                                           {"hero", "10", "1", "0.25", "law"},
                                           {"card", "9", "0", "0.5", ""}}));
  ASSERT_TRUE(log) << log.error().message;
  EXPECT_THAT(log->ads, ElementsAre("hero", "card"));
  EXPECT_THAT(log->positions, ElementsAre("9", "10"));
  EXPECT_THAT(log->position, ElementsAre(1U, 0U));
  EXPECT_THAT(log->reward, ElementsAre(1, 0));
  EXPECT_THAT(log->propensity, ElementsAre(0.25, 0.5));
  ASSERT_EQ(log->context.size(), 1U);
  EXPECT_EQ(log->context[0].name, "college");
  EXPECT_THAT(log->context[0].code, ElementsAre(0U, ContextField::kAbsent));
  EXPECT_FALSE(log->names_candidates());
}

TEST(ReadDecisions, takes_open_bandits_csv_with_the_items_that_were_there) {
  const auto items = read_items(rows({{"", "item_id", "item_feature_0"}, {"0", "0", "x"}, {"1", "1", "y"}}));
  ASSERT_TRUE(items);
  const auto log =
      read_decision_csv(rows({{"", "item_id", "position", "click", "propensity_score", "user_feature_0", "age"},
                              {"0", "1", "3", "1", "0.25", "f", "9"}}),
                        *items);
  ASSERT_TRUE(log) << log.error().message;
  EXPECT_THAT(log->ads, ElementsAre("0", "1"));
  EXPECT_THAT(log->ad, ElementsAre(1U));
  ASSERT_EQ(log->context.size(), 1U);
  EXPECT_EQ(log->context[0].name, "user_feature_0");
}

TEST(ReadDecisions, refuses_csv_with_the_line_and_the_field) {
  const std::vector<std::string> header = {"ad_id", "position", "reward", "propensity"};
  EXPECT_THAT(csv_refusal({}), HasSubstr("empty"));
  EXPECT_THAT(csv_refusal({header}), HasSubstr("no decision"));
  EXPECT_THAT(csv_refusal({{"ad_id", "position", "reward"}}), HasSubstr("no column \"propensity\""));
  EXPECT_THAT(csv_refusal({header, {"a", "1", "0", "0.5"}, {"a", "1", "0"}}), HasSubstr("line 3: has another number"));
  EXPECT_THAT(csv_refusal({header, {"a", "1", "x", "0.5"}}), HasSubstr("line 2: reward"));
  EXPECT_THAT(csv_refusal({header, {"a", "1", "nan", "0.5"}}), HasSubstr("line 2: reward"));
  EXPECT_THAT(csv_refusal({header, {"", "1", "0", "0.5"}}), HasSubstr("line 2: ad_id"));
  for (const auto* propensity : {"0", "-0.1", "1.1", "inf", "", "0.5x"})
    EXPECT_THAT(csv_refusal({header, {"a", "1", "0", propensity}}), HasSubstr("line 2: propensity")) << propensity;
}

TEST(ReadDecisions, takes_lines_with_candidates) {
  const auto log = read_decision_lines(
      lines({R"({"ad_id": "a", "position": 2, "reward": 1, "context": {"year": 3},
                 "candidates": [{"ad_id": "a", "propensity": 0.9}, {"ad_id": "b", "propensity": 0.1}]})",
             R"({"ad_id": "c", "reward": 0.5, "propensity": 1, "candidates": [{"ad_id": "c", "propensity": 1}]})"}));
  ASSERT_TRUE(log) << log.error().message;
  EXPECT_THAT(log->ads, ElementsAre("a", "b", "c"));
  EXPECT_THAT(log->positions, ElementsAre("1", "2"));
  EXPECT_THAT(log->propensity, ElementsAre(0.9, 1));
  EXPECT_THAT(log->candidates_begin, ElementsAre(0U, 2U, 3U));
  EXPECT_THAT(log->candidate_ad, ElementsAre(0U, 1U, 2U));
  EXPECT_THAT(log->context[0].values, ElementsAre("3"));
}

TEST(ReadDecisions, takes_candidates_with_their_probabilities_under_another_policy) {
  const auto log = read_decision_lines(
      lines({R"({"ad_id": "a", "reward": 1, "candidates": [{"ad_id": "a", "propensity": 0.9, "target": 0.3},
                                                           {"ad_id": "b", "propensity": 0.1, "target": 0.7}]})"}));
  ASSERT_TRUE(log) << log.error().message;
  EXPECT_THAT(log->candidate_target, ElementsAre(0.3, 0.7));
  EXPECT_THAT(
      line_refusal({R"({"ad_id": "a", "reward": 1, "candidates": [{"ad_id": "a", "propensity": 0.9, "target": 0.3},
                                                                          {"ad_id": "b", "propensity": 0.1}]})"}),
      HasSubstr("target is missing"));
  EXPECT_THAT(
      line_refusal({R"({"ad_id": "a", "reward": 1, "candidates": [{"ad_id": "a", "propensity": 1, "target": 0.3}]})"}),
      HasSubstr("the targets sum to 0.3"));
}

TEST(ReadDecisions, refuses_lines_with_the_line_and_the_field) {
  const std::string good = R"({"ad_id": "a", "reward": 1, "propensity": 0.5})";
  const std::string named =
      R"({"ad_id": "a", "reward": 1, "candidates": [{"ad_id": "a", "propensity": 0.5}, {"ad_id": "b", "propensity": 0.5}]})";
  EXPECT_THAT(line_refusal({good, "{"}), HasSubstr("line 2: expected a JSON object"));
  EXPECT_THAT(line_refusal({R"({"reward": 1, "propensity": 0.5})"}), HasSubstr("line 1: ad_id"));
  EXPECT_THAT(line_refusal({R"({"ad_id": "a", "propensity": 0.5})"}), HasSubstr("reward: is missing"));
  EXPECT_THAT(line_refusal({R"({"ad_id": "a", "reward": "1", "propensity": 0.5})"}), HasSubstr("reward: expected"));
  EXPECT_THAT(line_refusal({R"({"ad_id": "a", "reward": 1})"}), HasSubstr("propensity: is missing"));
  EXPECT_THAT(line_refusal({named, good}), HasSubstr("line 2: candidates: missing"));
  EXPECT_THAT(line_refusal({good, named}), HasSubstr("line 2: candidates: given"));
  EXPECT_THAT(line_refusal({R"({"ad_id": "z", "reward": 1, "candidates": [{"ad_id": "a", "propensity": 1}]})"}),
              HasSubstr("not one of the candidates"));
  EXPECT_THAT(
      line_refusal(
          {R"({"ad_id": "a", "reward": 1, "propensity": 0.4, "candidates": [{"ad_id": "a", "propensity": 1}]})"}),
      HasSubstr("propensity: is 0.4, but 1 among"));
  EXPECT_THAT(line_refusal({R"({"ad_id": "a", "reward": 1, "candidates": [{"ad_id": "a", "propensity": 2}]})"}),
              HasSubstr("not between 0 and 1"));
  EXPECT_THAT(line_refusal({R"({"ad_id": "a", "reward": 1, "candidates": [{"ad_id": "a", "propensity": 0.5},
                                                                          {"ad_id": "a", "propensity": 0.5}]})"}),
              HasSubstr("a is named twice"));
}

}  // namespace
}  // namespace marquee::evaluation
