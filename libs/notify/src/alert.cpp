#include "marquee/notify/alert.h"

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
  auto verdict = judge(rule, readings);
  AlertStep next{state, AlertEvent::none};
  AlertState& to = next.state;
  to.checked_ms = now_ms;
  to.verdict = verdict;
  to.now = readings.now;
  to.error.clear();
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
