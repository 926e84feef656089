// Funnels: how many users went from step to step, and how long they took.
//
// The definition. tests/support/funnels.py walks it in Python, event by event.
//
// Users are told apart by key, those without one by session. Bots, events with neither key nor session, what lies
// outside of the scope, and what the filters leave out are not there. A user's events stand in one order: by time;
// those of one millisecond by seq; and where the seq is the same too (events of other producers have none), those that
// match no step come first and the others by the last step that they match (then by the one before it, and so on),
// exclusions counting as steps after the last one. In a breakdown, those that match the same and are for step 1 stand
// by value.
//
// An *attempt* is a choice of the user's events for steps 1..k, the last of which is not later than `window_seconds`
// after the first (that much later still counts). A user *reaches* step k with any attempt for it, whatever other
// attempts came to.
//  - ordered: each step's event stands behind the one of the step before; others may stand between.
//  - strict:  each step's event stands directly behind the one of the step before.
//  - any:     the steps' events stand in any order, and one event may stand for every step that it matches. Step k is
//             reached with events for all of the steps 1..k.
// In the first two an event stands for one step of an attempt, however many it matches.
//
// An *optional* step may be left out of an attempt for a later step. Users are counted for it as for any other: with
// an attempt for the steps up to it.
//
// An *exclusion* ends an attempt: there is none for a step beyond `after_step` in which an event that it matches
// stands between the events of `after_step` and `before_step` (or the last one of the attempt, if it has not come so
// far), both not among them. In any order: between the first and the last event of the attempt. In strict order nothing
// stands between, so there are no exclusions.
//
// Times are those of the first event with which a user reached a step. If several attempts end with it, the one counts
// whose events are the latest in each step. The time from the previous step lies between the events of this step and of
// the last one before it that is not optional, whichever came first; the whole time between the attempt's first and
// last event. Quantiles are exact, and between two values they lie on the line between them.
//
// A row of the breakdown is the funnel of the attempts whose event of step 1 has that value: a user with several
// attempts may be in several rows, and is once in the total. By `segment`, a row is the funnel of the users who are in
// that segment now; by `arm.<experiment>` what is before a user's first exposure is not there, in the total neither, so
// attempts begin with it or later. The previous period is a funnel of its own: no attempt reaches over its end; it is
// told for the rows that this period has, and a row that is a time stands beside the one that much earlier.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/analytics/reports.h"

namespace marquee::analytics {

enum class FunnelOrder { ordered, strict, any };

/// What an event has to be: one of the types, and passed by every filter.
struct FunnelMatch {
  std::vector<std::string> types;
  std::vector<Filter> filters = {};
};
struct FunnelStep {
  FunnelMatch match;
  bool is_optional = false;  ///< Neither the first nor the last one.
};
struct FunnelExclusion {
  FunnelMatch match;
  std::size_t after_step = 1;                   ///< Steps are counted from 1. Not optional ones.
  std::optional<std::size_t> before_step = {};  ///< Absent: the last one.
};

struct FunnelRequest {
  Scope scope;
  std::vector<Filter> filters = {};
  std::vector<FunnelStep> steps;                 ///< Two to thirty.
  std::vector<FunnelExclusion> exclusions = {};  ///< Ten at most.
  std::uint64_t window_seconds = 3600;
  FunnelOrder order = FunnelOrder::ordered;
  std::string by = {};                            ///< A dimension; empty: no breakdown.
  bool compares_previous = false;                 ///< Needs both ends of the scope.
  std::optional<std::size_t> dropped_after = {};  ///< Who reached this step, but not the next that is not optional?
  std::uint64_t limit = 100;                      ///< Rows at most.
  std::uint64_t key_limit = 1000;                 ///< Keys of users who dropped out at most.
  std::string query_id = {};                      ///< As in TableRequest.
};

/// Of an estimate; of times only where there are enough of them.
struct FunnelStepBounds {
  MetricValue users, from_previous, from_first;  ///< The shares are of the last step before that is not optional.
  MetricValue median_ms, p90_ms;
};
struct FunnelStepCount {
  std::uint64_t users = 0;
  std::optional<double> median_ms, p90_ms;  ///< From the previous step; absent for the first, and where nobody came.
  std::optional<FunnelStepBounds> bounds = {};
};
struct FunnelCounts {
  std::vector<FunnelStepCount> steps;
  std::optional<double> median_ms, p90_ms;          ///< From the first step to the last.
  MetricValue median_bounds = {}, p90_bounds = {};  ///< Of an estimate.
};
struct FunnelRow {
  std::string key;
  FunnelCounts now, previous;  ///< `previous` without steps where it is not compared.
};
struct FunnelDropped {
  std::uint64_t users = 0, without_key = 0;
  std::vector<std::string> keys;  ///< 16 hexadecimal digits each, in order.
  bool is_cut = false;            ///< There are more keys than the limit.
};
struct FunnelReport {
  std::string source = "events";  ///< What was read; "journeys" where they have most of it, and the events the rest.
  FunnelCounts total, previous;
  std::vector<FunnelRow> rows;  ///< Most users in the first step first.
  bool is_cut = false;
  FunnelDropped dropped;               ///< Nothing in an estimate.
  std::optional<double> sampled = {};  ///< As in MetricsReport; users without key are told apart by session.
};

}  // namespace marquee::analytics
