#include "marquee/notify/alert.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace marquee::notify {
namespace {

bool is_compared(const AlertRule& rule) { return rule.condition >= Condition::fell; }

bool has_interval(const Reading& reading) { return reading.low.has_value(); }

bool has_too_few(const AlertRule& rule, const Readings& readings) {
  const auto minimum = static_cast<double>(rule.minimum);
  if (!readings.now.value) return true;
  if (readings.now.is_ratio && readings.now.count < minimum) return true;
  if (!is_compared(rule)) return false;
  if (!readings.before || !readings.before->value) return true;
  if (readings.now.is_ratio) return readings.before->count < minimum;
  return std::max(readings.now.count, readings.before->count) < minimum;
}

/// `holds` unless the intervals leave it open.
Verdict unless_open(bool is_open) { return is_open ? Verdict::unclear : Verdict::holds; }

Verdict judge_fall(const AlertRule& rule, const Reading& now, const Reading& before) {
  if (*before.value <= 0) return Verdict::fine;  // Nothing can fall from there.
  if (*now.value > *before.value * (1 - rule.threshold / 100)) return Verdict::fine;
  return unless_open(has_interval(now) && *now.high >= before.low.value_or(*before.value));
}

Verdict judge_rise(const AlertRule& rule, const Reading& now, const Reading& before) {
  if (*now.value <= 0 || *now.value < *before.value * (1 + rule.threshold / 100)) return Verdict::fine;
  return unless_open(has_interval(now) && *now.low <= before.high.value_or(*before.value));
}

/// Delivered before: at least the minimum, and more than what counts as stalled.
Verdict judge_stall(const AlertRule& rule, const Reading& now, const Reading& before) {
  if (*now.value > rule.threshold) return Verdict::fine;
  return *before.value > rule.threshold ? Verdict::holds : Verdict::no_data;
}

constexpr std::int64_t kLateness = 60'000;  ///< By which a check may be later than its rule says before nobody ran.
constexpr double kMostAway = 0.1;           ///< Of a window; as much of it may also not have landed.

/// How long of [from_ms, to_ms) nothing ran.
std::int64_t away_within(const AlertState& state, std::int64_t from_ms, std::int64_t to_ms) {
  return std::max<std::int64_t>(std::min(state.away_until_ms, to_ms) - std::max(state.away_from_ms, from_ms), 0);
}

/// How long nothing ran of the window that makes the condition hold, where that is too long to say that it does; else
/// 0. A share is one of what came, however little that was.
std::int64_t away_too_long(const AlertRule& rule, const AlertState& state, const Reading& now, std::int64_t now_ms) {
  if (now.is_ratio || rule.condition == Condition::above) return 0;
  const auto window = rule.window.count();
  constexpr std::int64_t kWeek = 7 * 24 * 3'600'000;
  const auto back = rule.condition != Condition::rose ? 0 : rule.compares_week_before ? kWeek : window;
  const auto to_ms = now_ms - back;
  const auto away = away_within(state, to_ms - window, to_ms);
  return static_cast<double>(away) > kMostAway * static_cast<double>(window) ? away : 0;
}

}  // namespace

Verdict judge(const AlertRule& rule, const Readings& readings) {
  if (rule.condition == Condition::stalled && readings.now.value && *readings.now.value > rule.threshold)
    return Verdict::fine;
  if (has_too_few(rule, readings)) return Verdict::no_data;
  const auto& now = readings.now;
  switch (rule.condition) {
    case Condition::below:
      if (*now.value >= rule.threshold) return Verdict::fine;
      return unless_open(has_interval(now) && *now.high >= rule.threshold);
    case Condition::above:
      if (*now.value <= rule.threshold) return Verdict::fine;
      return unless_open(has_interval(now) && *now.low <= rule.threshold);
    case Condition::fell:
      return judge_fall(rule, now, *readings.before);
    case Condition::rose:
      return judge_rise(rule, now, *readings.before);
    case Condition::stalled:
      return judge_stall(rule, now, *readings.before);
  }
  return Verdict::no_data;
}

AlertStep step(const AlertRule& rule, const AlertState& state, Readings readings, std::int64_t now_ms) {
  if (state.before) readings.before = state.before;
  AlertStep next{state, AlertEvent::none};
  AlertState& to = next.state;
  if (state.checked_ms > 0 && now_ms - state.checked_ms > rule.every.count() + kLateness) {
    to.away_from_ms = state.checked_ms;
    to.away_until_ms = now_ms;
  }
  auto verdict = judge(rule, readings);
  to.checked_ms = now_ms;
  to.verdict = verdict;
  to.now = readings.now;
  to.error.clear();
  if (verdict == Verdict::holds) {
    if (const auto away = away_too_long(rule, to, readings.now, now_ms); away > 0) {
      to.verdict = verdict = Verdict::unclear;
      to.error = fmt::format("nothing ran for {} s of the window that it is judged by: what came then may be missing",
                             away / 1'000);
    }
  }
  if (to.since_ms == 0) to.since_ms = now_ms;
  if (verdict == Verdict::no_data && rule.no_data == NoData::ok) verdict = Verdict::fine;
  if (verdict == Verdict::no_data && rule.no_data == NoData::fire) verdict = Verdict::holds;
  const auto tell = [&](AlertEvent event) {
    next.event = event;
    to.told_ms = now_ms;
  };
  switch (verdict) {
    case Verdict::holds:
      to.before = readings.before;
      if (!state.is_firing && ++to.held >= rule.checks) {
        to.is_firing = true;
        to.since_ms = now_ms;
        tell(AlertEvent::firing);
      }
      break;
    case Verdict::fine:
      to.held = 0;
      to.before.reset();
      if (state.is_firing) {
        to.is_firing = false;
        to.since_ms = now_ms;
        to.before = std::nullopt;
        tell(AlertEvent::resolved);
      }
      break;
    case Verdict::unclear:
    case Verdict::no_data:
      if (!state.is_firing) {
        to.held = 0;
        to.before.reset();
      }
      break;
  }
  if (to.is_firing && next.event == AlertEvent::none && rule.remind.count() > 0 &&
      now_ms - to.told_ms >= rule.remind.count())
    tell(AlertEvent::reminder);
  return next;
}

}  // namespace marquee::notify
