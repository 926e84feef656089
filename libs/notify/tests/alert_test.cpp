#include "marquee/notify/alert.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace marquee::notify {
namespace {

Reading rate(double value, double low, double high, double count) { return {value, low, high, count, true}; }
Reading sum(double value) { return {value, {}, {}, value}; }

AlertRule rule_of(Condition condition, double threshold) {
  return {.site = "campus", .metric = "ctr", .filters = {}, .condition = condition, .threshold = threshold};
}

TEST(Alert, holds_for_a_rate_only_where_its_interval_does) {
  const auto rule = rule_of(Condition::below, 0.02);
  EXPECT_EQ(judge(rule, {rate(0.03, 0.01, 0.05, 100), {}}), Verdict::fine);
  EXPECT_EQ(judge(rule, {rate(0.01, 0.005, 0.03, 100), {}}), Verdict::unclear);
  EXPECT_EQ(judge(rule, {rate(0.01, 0.005, 0.019, 1000), {}}), Verdict::holds);
  const auto above = rule_of(Condition::above, 0.02);
  EXPECT_EQ(judge(above, {rate(0.03, 0.01, 0.05, 100), {}}), Verdict::unclear);
  EXPECT_EQ(judge(above, {rate(0.03, 0.025, 0.05, 1000), {}}), Verdict::holds);
  EXPECT_EQ(judge(above, {rate(0.02, 0.01, 0.05, 1000), {}}), Verdict::fine);
}

TEST(Alert, does_not_judge_by_three_impressions) {
  auto rule = rule_of(Condition::below, 0.9);
  EXPECT_EQ(judge(rule, {rate(0, 0, 0.56, 3), {}}), Verdict::holds);
  rule.minimum = 100;
  EXPECT_EQ(judge(rule, {rate(0, 0, 0.56, 3), {}}), Verdict::no_data);
  EXPECT_EQ(judge(rule, {{}, {}}), Verdict::no_data);
  rule = rule_of(Condition::fell, 50);
  rule.minimum = 100;
  EXPECT_EQ(judge(rule, {rate(0.01, 0.009, 0.011, 10'000), rate(0.5, 0.2, 0.8, 99)}), Verdict::no_data);
  EXPECT_EQ(judge(rule, {sum(1), sum(99)}), Verdict::no_data);
  EXPECT_EQ(judge(rule, {sum(1), sum(100)}), Verdict::holds);
}

TEST(Alert, needs_a_denominator_of_ratios_without_an_interval_too) {
  auto rule = rule_of(Condition::above, 5);  // eCPM
  rule.minimum = 1000;
  const Reading few{9.0, {}, {}, 3, true}, many{9.0, {}, {}, 1000, true};
  EXPECT_EQ(judge(rule, {few, {}}), Verdict::no_data);
  EXPECT_EQ(judge(rule, {many, {}}), Verdict::holds);
}

TEST(Alert, compares_with_the_period_before) {
  const auto fell = rule_of(Condition::fell, 30);
  EXPECT_EQ(judge(fell, {sum(71), sum(100)}), Verdict::fine);
  EXPECT_EQ(judge(fell, {sum(70), sum(100)}), Verdict::holds);
  EXPECT_EQ(judge(fell, {sum(70), {}}), Verdict::no_data);
  EXPECT_EQ(judge(fell, {sum(0), sum(0)}), Verdict::fine);
  EXPECT_EQ(judge(fell, {rate(0.05, 0.03, 0.08, 300), rate(0.1, 0.07, 0.14, 300)}), Verdict::unclear);
  EXPECT_EQ(judge(fell, {rate(0.05, 0.04, 0.06, 3000), rate(0.1, 0.09, 0.11, 3000)}), Verdict::holds);
  const auto rose = rule_of(Condition::rose, 100);
  EXPECT_EQ(judge(rose, {sum(199), sum(100)}), Verdict::fine);
  EXPECT_EQ(judge(rose, {sum(200), sum(100)}), Verdict::holds);
  EXPECT_EQ(judge(rose, {sum(0), sum(0)}), Verdict::fine);
  EXPECT_EQ(judge(rose, {rate(0.2, 0.1, 0.3, 100), rate(0.1, 0.05, 0.15, 100)}), Verdict::unclear);
}

TEST(Alert, calls_stalled_only_what_delivered_before) {
  auto stalled = rule_of(Condition::stalled, 0);
  EXPECT_EQ(judge(stalled, {sum(0), sum(500)}), Verdict::holds);
  EXPECT_EQ(judge(stalled, {sum(1), sum(500)}), Verdict::fine);
  EXPECT_EQ(judge(stalled, {sum(0), sum(0)}), Verdict::no_data);
  EXPECT_EQ(judge(stalled, {sum(1), sum(0)}), Verdict::fine);
  stalled.minimum = 100;
  EXPECT_EQ(judge(stalled, {sum(0), sum(99)}), Verdict::no_data);
  stalled.threshold = 10;
  EXPECT_EQ(judge(stalled, {sum(10), sum(500)}), Verdict::holds);
  EXPECT_EQ(judge(stalled, {sum(11), sum(500)}), Verdict::fine);
}

/// Goes through checks, one a second, over a restart each time; the events.
class Checks {
 public:
  explicit Checks(AlertRule rule) : rule_(std::move(rule)) {}
  std::string operator()(Readings readings, std::int64_t after_ms = 1'000) {
    auto next = step(rule_, read_alert_state(text_), std::move(readings), now_ += after_ms);
    state = next.state;
    text_ = write_alert_state(next.state);
    return std::string(name_of(next.event));
  }
  AlertState state;

 private:
  AlertRule rule_;
  std::int64_t now_ = 1'000'000;
  std::string text_ = "{}";
};

TEST(Alert, tells_once_of_each_change) {
  Checks check(rule_of(Condition::below, 10));
  EXPECT_EQ(check({sum(20), {}}), "none");
  EXPECT_EQ(check({sum(5), {}}), "firing");
  EXPECT_EQ(check({sum(5), {}}), "none");
  EXPECT_EQ(check({sum(0), {}}), "none");
  EXPECT_EQ(check({sum(20), {}}), "resolved");
  EXPECT_EQ(check({sum(20), {}}), "none");
  EXPECT_EQ(check({sum(5), {}}), "firing");
}

TEST(Alert, fires_only_where_it_holds_for_as_many_checks_in_a_row) {
  auto rule = rule_of(Condition::below, 10);
  rule.checks = 3;
  Checks check(rule);
  for (const double value : {5.0, 5.0, 20.0, 5.0, 5.0}) EXPECT_EQ(check({sum(value), {}}), "none");
  EXPECT_EQ(check.state.held, 2);
  EXPECT_EQ(check({sum(5), {}}), "firing");
  EXPECT_EQ(check({sum(11), {}}), "resolved");
  EXPECT_EQ(check({sum(5), {}}), "none");
}

TEST(Alert, stays_until_what_fell_is_back_at_what_it_was_before) {
  auto rule = rule_of(Condition::fell, 50);
  rule.checks = 2;
  Checks check(rule);
  EXPECT_EQ(check({sum(100), sum(100)}), "none");
  EXPECT_EQ(check({sum(40), sum(100)}), "none");
  EXPECT_EQ(check({sum(40), sum(40)}), "firing");  // The period before has fallen by now, too.
  EXPECT_EQ(check({sum(40), sum(40)}), "none");
  EXPECT_EQ(check({sum(49), sum(20)}), "none");
  EXPECT_EQ(check.state.before->value, 100);
  EXPECT_EQ(check({sum(60), sum(40)}), "resolved");
  EXPECT_FALSE(check.state.before);
  EXPECT_EQ(check({sum(40), sum(60)}), "none");
}

TEST(Alert, of_a_stall_ends_with_the_next_delivery) {
  Checks check(rule_of(Condition::stalled, 0));
  EXPECT_EQ(check({sum(0), sum(0)}), "none");  // Never delivered.
  EXPECT_EQ(check({sum(7), sum(0)}), "none");
  EXPECT_EQ(check({sum(0), sum(7)}), "firing");
  EXPECT_EQ(check({sum(0), sum(0)}), "none");
  EXPECT_EQ(check({sum(1), sum(0)}), "resolved");
}

TEST(Alert, neither_fires_nor_ends_by_what_may_be_chance) {
  Checks check(rule_of(Condition::below, 0.02));
  const Readings bad{rate(0.01, 0.005, 0.015, 1000), {}}, open{rate(0.01, 0.001, 0.05, 100), {}},
      good{rate(0.03, 0.02, 0.04, 1000), {}};
  EXPECT_EQ(check(open), "none");
  EXPECT_EQ(check(bad), "firing");
  EXPECT_EQ(check(open), "none");
  EXPECT_TRUE(check.state.is_firing);
  EXPECT_EQ(check(good), "resolved");
}

TEST(Alert, treats_no_data_as_it_is_told) {
  const Readings none{{}, {}}, bad{rate(0.01, 0.005, 0.015, 1000), {}};
  auto rule = rule_of(Condition::below, 0.02);
  Checks keeps(rule);
  EXPECT_EQ(keeps(none), "none");
  EXPECT_EQ(keeps(bad), "firing");
  EXPECT_EQ(keeps(none), "none");
  EXPECT_TRUE(keeps.state.is_firing);
  rule.no_data = NoData::ok;
  Checks ends(rule);
  EXPECT_EQ(ends(bad), "firing");
  EXPECT_EQ(ends(none), "resolved");
  rule.no_data = NoData::fire;
  Checks fires(rule);
  EXPECT_EQ(fires(none), "firing");
  EXPECT_EQ(fires(none), "none");
  EXPECT_EQ(fires({rate(0.03, 0.02, 0.04, 1000), {}}), "resolved");
}

TEST(Alert, reminds_while_it_fires) {
  auto rule = rule_of(Condition::below, 10);
  rule.remind = Millis(3'000);
  Checks check(rule);
  EXPECT_EQ(check({sum(5), {}}), "firing");
  EXPECT_EQ(check({sum(5), {}}), "none");
  EXPECT_EQ(check({sum(5), {}}), "none");
  EXPECT_EQ(check({sum(5), {}}), "reminder");
  EXPECT_EQ(check({sum(5), {}}), "none");
  EXPECT_EQ(check({sum(15), {}}), "resolved");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(check({sum(15), {}}), "none");
}

TEST(Alert, does_not_take_its_own_absence_for_a_stall) {
  constexpr std::int64_t kMinuteMs = 60'000, kEvery = 5 * kMinuteMs;
  auto rule = rule_of(Condition::stalled, 0);
  rule.window = Millis(60 * kMinuteMs);
  rule.every = Millis(kEvery);
  const Readings stalled{sum(0), sum(500)}, fine{sum(3), sum(500)};
  Checks away(rule);
  EXPECT_EQ(away(fine, kEvery), "none");
  EXPECT_EQ(away(stalled, 50 * kMinuteMs), "none");
  EXPECT_EQ(away.state.verdict, Verdict::unclear);
  EXPECT_EQ(away.state.error,
            "nothing ran for 3000 s of the window that it is judged by: what came then may be missing");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(away(stalled, kEvery), "none") << i;  // 50 minutes: 10 of the window are left.
  EXPECT_EQ(away(stalled, kEvery), "firing");                                  // 5 minutes, less than a tenth.
  EXPECT_EQ(away.state.error, "");

  Checks late(rule);  // A slow check is no absence.
  EXPECT_EQ(late(fine, kEvery), "none");
  EXPECT_EQ(late(stalled, kEvery + kMinuteMs), "firing");
  EXPECT_EQ(late(stalled, 50 * kMinuteMs), "none");  // And what fires already is not ended by one.
  EXPECT_TRUE(late.state.is_firing);
  EXPECT_EQ(late(fine, kEvery), "resolved");
}

TEST(Alert, judges_shares_and_what_is_too_much_also_after_an_absence) {
  constexpr std::int64_t kHourMs = 3'600'000;
  Checks share(rule_of(Condition::below, 0.02));
  EXPECT_EQ(share({rate(0.03, 0.025, 0.04, 1000), {}}), "none");
  EXPECT_EQ(share({rate(0.01, 0.005, 0.015, 1000), {}}, kHourMs), "firing");
  Checks above(rule_of(Condition::above, 10));
  EXPECT_EQ(above({sum(1), {}}), "none");
  EXPECT_EQ(above({sum(11), {}}, kHourMs), "firing");
  Checks rose(rule_of(Condition::rose, 100));
  const Readings risen{sum(100), sum(50)}, steady{sum(60), sum(50)};
  EXPECT_EQ(rose(steady), "none");
  EXPECT_EQ(rose(steady, kHourMs / 2), "none");  // Half an hour without anyone.
  for (int i = 0; i < 10; ++i) EXPECT_EQ(rose(steady, kHourMs / 12), "none") << i;
  EXPECT_EQ(rose(risen, kHourMs / 12), "none");  // It is in the hour before now.
  EXPECT_EQ(rose.state.verdict, Verdict::unclear);
  for (int i = 0; i < 12; ++i) EXPECT_EQ(rose(steady, kHourMs / 12), "none") << i;
  EXPECT_EQ(rose(risen, kHourMs / 12), "firing");
}

TEST(Alert, says_which_member_is_wrong) {
  const std::string fine =
      R"("site":"campus","metric":"ctr","condition":"below","threshold":0.01,"window":"1h","every":"5m")";
  ASSERT_TRUE(read_alert_rule("{" + fine + "}"));
  for (const auto& [json, named] : std::vector<std::pair<std::string, std::string>>{
           {"[]", "rule"},
           {R"({"site":"campus"})", "metric"},
           {"{" + fine + R"(,"colour":1})", "rule"},
           {R"({"site":"campus","metric":"ctr","condition":"below","window":"1h","every":"5m"})", "threshold"},
           {"{" + fine + R"(,"condition":"odd"})", "condition"},
           {"{" + fine + R"(,"threshold":"1"})", "threshold"},
           {"{" + fine + R"(,"threshold":-1})", "threshold"},
           {"{" + fine + R"(,"condition":"fell","threshold":101})", "threshold"},
           {"{" + fine + R"(,"window":"1500ms"})", "window"},
           {"{" + fine + R"(,"window":"32d"})", "window"},
           {"{" + fine + R"(,"every":"0"})", "every"},
           {"{" + fine + R"(,"every":300})", "every"},
           {"{" + fine + R"(,"for":0})", "for"},
           {"{" + fine + R"(,"for":1.5})", "for"},
           {"{" + fine + R"(,"min_count":-1})", "min_count"},
           {"{" + fine + R"(,"no_data":"maybe"})", "no_data"},
           {"{" + fine + R"(,"remind":"1m"})", "remind"},
           {"{" + fine + R"(,"against":"week","window":"8d"})", "against"},
           {"{" + fine + R"(,"filter":"a=b"})", "filter"}}) {
    const auto rule = read_alert_rule(json);
    ASSERT_FALSE(rule) << json;
    EXPECT_TRUE(rule.error().message.starts_with(named + ": ")) << rule.error().message;
  }
}

TEST(Alert, is_written_as_it_is_read) {
  const std::string json =
      R"({"site":"campus","metric":"ctr","filter":["campaign_id=law"],"condition":"fell","threshold":30.0,"window":"90s",)"
      R"("every":"5m","for":3,"min_count":1000,"no_data":"ok","remind":"1d","against":"week"})";
  const auto rule = read_alert_rule(json);
  ASSERT_TRUE(rule) << rule.error().message;
  EXPECT_EQ(write_alert_rule(*rule), json);
}

}  // namespace
}  // namespace marquee::notify
