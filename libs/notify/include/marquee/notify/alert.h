// Alerts on a metric: what is looked at, what is held against it, and when someone is told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/base/time.h"

namespace marquee::notify {

enum class Condition {
  below,    ///< The metric is below the threshold.
  above,    ///< It is above.
  fell,     ///< It is lower than before by so many percent at least.
  rose,     ///< It is higher.
  stalled,  ///< It is at most the threshold, where it was more before: delivery has stopped.
};

/// What a check without enough data does.
enum class NoData {
  keep,  ///< Leaves everything as it was.
  ok,    ///< Counts as fine.
  fire,  ///< Counts as if the condition held.
};

/// One definition, as it is kept. `before` is the period of the same length just before the window, or the window of a
/// week earlier; of Condition::stalled a day before the window at least, so that a break in looking hides no stall.
struct AlertRule {
  std::string site;
  std::string metric;                ///< Of the semantic layer.
  std::vector<std::string> filters;  ///< As reports take them: "campaign_id=law".
  Condition condition = Condition::below;
  double threshold = 0;  ///< Of the metric; of fell and rose percent.
  Millis window{3'600'000};
  Millis every{300'000};
  int checks = 1;             ///< For which the condition must hold in a row before it fires.
  std::uint64_t minimum = 0;  ///< See judge.
  NoData no_data = NoData::keep;
  Millis remind{0};  ///< While it fires; 0: never.
  bool compares_week_before = false;
};

/// {"site","metric","filter":[...],"condition","threshold","window":"1h","every":"5m","for":3,"min_count":100,
/// "no_data","remind":"1d","against":"period"|"week"}; Action::reject names the member. That the metric and the filters
/// exist is the caller's to know.
[[nodiscard]] Result<AlertRule> read_alert_rule(const std::string& json);
/// As read_alert_rule takes it, everything written out.
[[nodiscard]] std::string write_alert_rule(const AlertRule& rule);

/// A metric over a period. Of a proportion `low` and `high` are its Wilson interval.
struct Reading {
  std::optional<double> value;  ///< None where it is a share of nothing.
  std::optional<double> low, high;
  double count = 0;       ///< Of a ratio its denominator, of any other metric its value.
  bool is_ratio = false;  ///< Has a denominator.
};
struct Readings {
  Reading now;
  std::optional<Reading> before;  ///< Where the condition compares.
};

enum class Verdict {
  fine,
  holds,
  /// The value says that it holds; the interval that it may be chance, or the state that nothing was looked at
  /// meanwhile. Neither fires nor ends.
  unclear,
  no_data,
};
[[nodiscard]] std::string_view name_of(Verdict verdict);

/// The condition over `readings`. `minimum`: a ratio with a smaller denominator is no_data, now or before; of what is
/// compared without being a ratio, the larger of both values must reach it. Of a proportion the condition holds only
/// where its interval does not reach the threshold, or does not touch that of the period before.
[[nodiscard]] Verdict judge(const AlertRule& rule, const Readings& readings);

/// What is kept from check to check, and over a restart.
struct AlertState {
  bool is_firing = false;
  int held = 0;                        ///< Checks in a row for which it held.
  std::int64_t since_ms = 0;           ///< Of firing, or of ok; 0: never looked at.
  std::int64_t told_ms = 0;            ///< When the last notice was made.
  std::int64_t checked_ms = 0;         ///< The last check; 0: none yet.
  Verdict verdict = Verdict::no_data;  ///< Of the last check.
  Reading now;                         ///< At the last check.
  /// What it is compared with: of the first check for which it held. It stays until the condition ends, or a fall would
  /// be over as soon as the period before is one that has fallen too.
  std::optional<Reading> before;
  /// When nothing was checked last for longer than the rule says, as no process ran: what came meanwhile may be
  /// missing.
  std::int64_t away_from_ms = 0, away_until_ms = 0;
  std::string error;  ///< Why the last check could not be made, or does not count; empty: it was, and does.
};
[[nodiscard]] AlertState read_alert_state(const std::string& json);
[[nodiscard]] std::string write_alert_state(const AlertState& state);

enum class AlertEvent { none, firing, resolved, reminder };
[[nodiscard]] std::string_view name_of(AlertEvent event);

/// What `state` becomes by a check, and what is told of it. What the state compares with, where it has that, stands for
/// what `readings` have of before. A sum over a window of which more than a tenth passed while nothing ran is not held
/// to be low, and one that is compared with such a window not to be high.
struct AlertStep {
  AlertState state;
  AlertEvent event = AlertEvent::none;
};
[[nodiscard]] AlertStep step(const AlertRule& rule, const AlertState& state, Readings readings, std::int64_t now_ms);

/// A time span as the API writes it: "90s", "5m", "1h", "7d".
[[nodiscard]] std::string span_text(Millis span);

}  // namespace marquee::notify
