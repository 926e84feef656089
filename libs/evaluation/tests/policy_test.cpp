#include "marquee/evaluation/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace marquee::evaluation {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Three ads; the first decision at position 1 by a student of law, the second at position 2 by nobody known.
DecisionLog small_log() {
  DecisionLog log;
  log.ads = {"a", "b", "c"};
  log.positions = {"1", "2"};
  log.ad = {0, 1};
  log.position = {0, 1};
  log.reward = {1, 0};
  log.propensity = {0.5, 0.5};
  log.context = {{"college", {"law"}, {0, ContextField::kAbsent}}};
  return log;
}

std::vector<double> chosen(const std::string& json, std::size_t decision, std::vector<std::uint32_t> ads) {
  auto log = small_log();
  const auto policy = read_policy(json, log);
  EXPECT_TRUE(policy) << (policy ? "" : policy.error().message);
  std::vector<double> out(ads.size());
  if (!policy || !(*policy)->choose(log, decision, ads, out)) return {};
  return out;
}

std::string refusal(const std::string& json) {
  auto log = small_log();
  const auto policy = read_policy(json, log);
  EXPECT_FALSE(policy);
  return policy ? "" : policy.error().message;
}

TEST(Policy, uniform_gives_each_candidate_the_same) {
  EXPECT_THAT(chosen(R"("uniform")", 0, {0, 2}), ElementsAre(0.5, 0.5));
}

TEST(Policy, weights_are_shared_among_the_candidates) {
  const auto* json = R"({"weights": {"a": 3, "b": 1}})";
  EXPECT_THAT(chosen(json, 0, {0, 1, 2}), ElementsAre(0.75, 0.25, 0));
  EXPECT_THAT(chosen(json, 0, {1, 2}), ElementsAre(1, 0));
  EXPECT_THAT(chosen(json, 0, {2}), ElementsAre());
  EXPECT_THAT(chosen(R"({"weights": {"a": 2}, "others": 1})", 0, {0, 1, 2}), ElementsAre(0.5, 0.25, 0.25));
}

TEST(Policy, probabilities_are_by_position) {
  const auto* json = R"({"probabilities": {"1": {"a": 1}, "*": {"b": 0.4, "c": 0.6}}})";
  EXPECT_THAT(chosen(json, 0, {0, 1, 2}), ElementsAre(1, 0, 0));
  EXPECT_THAT(chosen(json, 1, {0, 1, 2}), ElementsAre(0, 0.4, 0.6));
}

TEST(Policy, the_first_rule_that_holds_decides) {
  const auto* json = R"({"rules": [{"when": {"college": ["arts", "law"]}, "then": {"weights": {"b": 1}}},
                                   {"when": {}, "then": {"weights": {"c": 1}}}],
                         "otherwise": "uniform"})";
  EXPECT_THAT(chosen(json, 0, {0, 1, 2}), ElementsAre(0, 1, 0));
  EXPECT_THAT(chosen(json, 1, {0, 1, 2}), ElementsAre(0, 0, 1));
  const auto* arts =
      R"({"rules": [{"when": {"college": "arts"}, "then": {"weights": {"b": 1}}}], "otherwise": "uniform"})";
  EXPECT_THAT(chosen(arts, 0, {0, 1}), ElementsAre(0.5, 0.5));
}

TEST(Policy, a_mixture_is_the_sum_of_its_parts) {
  EXPECT_THAT(
      chosen(R"({"mix": [{"share": 0.8, "policy": {"weights": {"a": 1}}}, {"share": 0.2, "policy": "uniform"}]})", 0,
             {0, 1}),
      ElementsAre(DoubleEq(0.9), DoubleEq(0.1)));
}

TEST(Policy, knows_ads_that_the_log_does_not) {
  auto log = small_log();
  const auto policy = read_policy(
      R"({"rules": [{"when": {}, "then": {"weights": {"a": 1}, "others": 1}}], "otherwise": {"weights": {"d": 1}}})",
      log);
  ASSERT_TRUE(policy);
  EXPECT_THAT(log.ads, ElementsAre("a", "b", "c", "d"));
  std::vector<double> out(4);
  const std::vector<std::uint32_t> all = {0, 1, 2, 3};
  ASSERT_TRUE((*policy)->choose(log, 0, all, out));
  EXPECT_THAT(out, ElementsAre(0.25, 0.25, 0.25, 0.25));
}

TEST(Policy, that_is_none_is_refused_with_the_place) {
  EXPECT_THAT(refusal("{"), HasSubstr("not JSON"));
  EXPECT_THAT(refusal(R"("best")"), HasSubstr("policy: expected"));
  EXPECT_THAT(refusal(R"({"weights": {"a": -1}})"), HasSubstr("policy.weights.a"));
  EXPECT_THAT(refusal(R"({"weights": {"a": 1e300}})"), HasSubstr("policy.weights.a"));
  EXPECT_THAT(refusal(R"({"weights": {"a": 0}})"), HasSubstr("no ad has any weight"));
  EXPECT_THAT(refusal(R"({"weights": {"a": 1}, "other": 1})"), HasSubstr("unknown field \"other\""));
  EXPECT_THAT(refusal(R"({"probabilities": {"*": {"a": 0.4}}})"), HasSubstr("sums to 0.4"));
  EXPECT_THAT(refusal(R"({"probabilities": {"1": {"a": 1}}})"), HasSubstr("nothing for position 2"));
  EXPECT_THAT(refusal(R"({"rules": []})"), HasSubstr("otherwise"));
  EXPECT_THAT(refusal(R"({"rules": [{"when": {"colege": "law"}, "then": "uniform"}], "otherwise": "uniform"})"),
              HasSubstr("policy.rules[0].when: the log has no context field \"colege\""));
  EXPECT_THAT(refusal(R"({"mix": [{"share": 0.5, "policy": "uniform"}]})"), HasSubstr("sum to 0.5"));
  std::string deep;
  for (int i = 0; i < 20; ++i) deep += R"({"mix": [{"share": 1, "policy": )";
  deep += R"("uniform")";
  for (int i = 0; i < 20; ++i) deep += "}]}";
  EXPECT_THAT(refusal(deep), HasSubstr("nested deeper"));
}

}  // namespace
}  // namespace marquee::evaluation
