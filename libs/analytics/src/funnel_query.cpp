#include "funnel_query.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "query.h"
#include "sample.h"
#include "user_dimensions.h"

namespace marquee::analytics {
namespace {

// An event as one number, so that sorting is fast: its time, then its seq, then a bit for each step and each exclusion
// that it matches. Of journeys the place among those of one millisecond stands for the seq.
constexpr std::size_t kSeqBits = 32;
constexpr std::size_t kMostBitsOfJourneys = 64 - 41 - kMomentBits;  ///< 41 bits of milliseconds last until 2039.

class Builder {
 public:
  Builder(const FunnelRequest& request, const FunnelPeriod& period)
      : request_(request),
        period_(period),
        bits_(request.steps.size() + request.exclusions.size()),
        users_(period.scope, {request.by}) {
    users_.add(request.filters);
    for (const auto& step : request.steps) users_.add(step.match.filters);
    for (const auto& exclusion : request.exclusions) users_.add(exclusion.match.filters);
  }

  Result<StoreQuery> build() {
    const auto walked = steps();
    if (!walked) return walked.error();
    return StoreQuery{counts(*walked), std::move(parameters_), users_.data()};
  }

  Result<StoreQuery> build_dropped() {
    const auto walked = steps();
    if (!walked) return walked.error();
    auto sql = fmt::format("SELECT user AS user_key FROM ({}) WHERE {} AND user != 0", *walked, is_dropped());
    parameters_["window"] = std::to_string(request_.window_seconds * 1000);
    return StoreQuery{std::move(sql), std::move(parameters_), users_.data()};
  }

 private:
  /// A breakdown by a value of the first step's event; segments are the user's.
  [[nodiscard]] bool is_by_value() const { return !request_.by.empty() && !users_.is_by_segment(); }

  /// A row for each user and part, with what became of each step.
  Result<std::string> steps() {
    auto events = sorted_events();
    if (!events) return events.error();
    std::string query = with_parts(*events);
    for (std::size_t step = 0; step < request_.steps.size(); ++step)
      query = request_.order == FunnelOrder::any ? with_step_in_any_order(step, query) : with_step(step, query);
    return query;
  }

  [[nodiscard]] std::string mask_type() const {
    return bits_ <= 8 ? "UInt8" : bits_ <= 16 ? "UInt16" : bits_ <= 32 ? "UInt32" : "UInt64";
  }

  /// A row for each user: the events as numbers, and the values of those of step 1 beside them.
  Result<std::string> sorted_events() {
    if (!period_.kept.partitions.empty()) return sorted_journeys();
    std::string filter = where(period_.scope, "event_time", parameters_);
    const auto filters = filter_conditions(request_.filters, "event_time", period_.scope, parameters_);
    if (!filters) return filters.error();
    filter += *filters + users_.conditions();
    const auto mask = mask_expression();
    if (!mask) return mask.error();
    if (request_.order != FunnelOrder::strict) filter += only_matches();
    std::string values;
    if (users_.is_by_segment()) {
      values = fmt::format(", any({}) AS user_segments", UserDimensions::segments_of_row());
    } else if (is_by_value()) {
      const auto value = value_expression();
      if (!value) return value.error();
      values = fmt::format(", arraySort((v, p) -> (p, v), groupArray({}), groupArray(packed)) AS values", *value);
    }
    const auto joins = users_.joins(parameters_);
    const auto people = [&](std::string_view who) { return people_events(*mask, values, joins, filter, who); };
    if (!period_.sample) return people(" AND (user_key != 0 OR session_id != 0)");
    return of_people(period_.sample, parameters_, people);
  }

  /// What an event of the type matches, a bit for each step and each exclusion.
  [[nodiscard]] std::uint64_t mask_of(std::string_view type) const {
    std::uint64_t mask = 0, bit = 1;
    const auto add = [&](const FunnelMatch& match) {
      if (std::ranges::find(match.types, type) != match.types.end()) mask |= bit;
      bit <<= 1;
    };
    for (const auto& step : request_.steps) add(step.match);
    for (const auto& exclusion : request_.exclusions) add(exclusion.match);
    return mask;
  }

  /// The same from journeys and, of the other days, from the events: a day's arrays, what cannot be in an attempt left
  /// out, and these of all days of a user sorted as one.
  std::string sorted_journeys() {
    std::vector<std::string_view> types;
    for (const auto type : journey_types())
      if (request_.order == FunnelOrder::strict || mask_of(type) != 0) types.push_back(type);
    const auto days = days_of_journeys(types);
    std::string starts, events;
    bool is_one = true;
    for (const auto type : types) {
      if ((mask_of(type) & 1) == 0) continue;
      is_one = is_one && starts.empty();
      starts += starts.empty() ? std::string(type) : fmt::format(", {}", type);
    }
    if (!is_one) starts = fmt::format("arraySort(arrayConcat({}))", starts);
    const auto window = request_.window_seconds * 1000;
    const auto keep = conditions_of_journeys(window);
    std::string has_some = "notEmpty(starts)";
    for (const auto type : types) {
      has_some += " OR " + may_be_near(type, window);
      const auto kept = keep.empty() ? std::string(type) : fmt::format("arrayFilter(m -> {}, {})", keep, type);
      events += fmt::format("{}arrayMap(m -> bitOr(bitShiftLeft(m + first_moment, {}), toUInt64({})), {})",
                            events.empty() ? "" : ", ", bits_, mask_of(type), kept);
    }
    // One millisecond is added because 0 stands for no time.
    return fmt::format(
        "SELECT user_key AS user, session_id AS session, arraySort(groupArrayArray(day_events)) AS events FROM (SELECT "
        "user_key, session_id, {0} AS starts, toUInt64(toUInt16(day)) AS number, bitShiftLeft(number * {1} + 1, {2}) "
        "AS "
        "first_moment, {3}arrayConcat({4}) AS day_events, notEmpty(starts) AS has_start FROM ({5}) WHERE "
        "{6}) GROUP BY user, session HAVING max(has_start)",
        starts, kDay, kMomentBits, bounds_of_journeys(window), events, days, has_some);
  }

  /// Whether a day without an event of step 1 has one of the type that may be in an attempt of a day beside it.
  [[nodiscard]] std::string may_be_near(std::string_view type, std::uint64_t window) const {
    if (window >= kDay) return fmt::format("notEmpty({})", type);
    const auto moments = window << kMomentBits;
    auto near = fmt::format("(notEmpty({0}) AND {0}[1] <= {1})", type, moments + (1U << kMomentBits));
    if (request_.order == FunnelOrder::any)
      near += fmt::format(" OR {}[-1] >= {}", type, (kDay << kMomentBits) - static_cast<std::int64_t>(moments));
    return near;
  }

  /// Rows of user_key, session_id, day and moments of the types.
  std::string days_of_journeys(const std::vector<std::string_view>& types) {
    const auto others = where(period_.scope, "event_time", parameters_) + of_other_days(period_.kept, parameters_);
    std::string columns = "user_key, session_id, day";
    for (const auto type : types) columns += fmt::format(", {}", type);
    return fmt::format("SELECT {} FROM marquee.journeys{} UNION ALL SELECT {} FROM ({})", columns,
                       of_kept_days(period_.kept, period_.scope, parameters_), columns, journey_rows(types, others));
  }

  /// An attempt begins with an event of step 1 and lasts no longer than the window (in any order: it holds one). So of
  /// a day only what is so near to its first and its last such event matters, and to the days beside it.
  [[nodiscard]] std::string bounds_of_journeys(std::uint64_t window) {
    std::string bounds;
    if (window < kDay) {
      const auto moments = window << kMomentBits;
      bounds = fmt::format("toUInt32(least(starts[-1] + {}, {})) AS last_near, ", moments + (1U << kMomentBits),
                           (kDay << kMomentBits));
      if (request_.order == FunnelOrder::any)
        bounds += fmt::format("toUInt32(greatest(toInt64(starts[1]) - {}, 0)) AS first_near, ",
                              moments + (1U << kMomentBits));
      else
        bounds += "starts[1] AS first_near, ";
    }
    // The ends of the scope, where they are within a day.
    const auto& scope = period_.scope;
    if (scope.from_ms && *scope.from_ms % kDay != 0)
      bounds += fmt::format("if(number = {}, toUInt32({}), 0) AS first_of_scope, ", *scope.from_ms / kDay,
                            (*scope.from_ms % kDay) << kMomentBits);
    if (scope.to_ms && *scope.to_ms % kDay != 0)
      bounds += fmt::format("if(number = {}, toUInt32({}), toUInt32({})) AS end_of_scope, ", *scope.to_ms / kDay,
                            (*scope.to_ms % kDay) << kMomentBits, kDay << kMomentBits);
    return bounds;
  }
  [[nodiscard]] std::string conditions_of_journeys(std::uint64_t window) const {
    std::vector<std::string> conditions;
    if (window < kDay) {
      const auto moments = window << kMomentBits;
      auto near = fmt::format("m <= {} OR m BETWEEN first_near AND last_near", moments + (1U << kMomentBits));
      if (request_.order == FunnelOrder::any)
        near += fmt::format(" OR m >= {}", (kDay << kMomentBits) - static_cast<std::int64_t>(moments));
      conditions.push_back("(" + near + ")");
    }
    const auto& scope = period_.scope;
    if (scope.from_ms && *scope.from_ms % kDay != 0) conditions.emplace_back("m >= first_of_scope");
    if (scope.to_ms && *scope.to_ms % kDay != 0) conditions.emplace_back("m < end_of_scope");
    return fmt::format("{}", fmt::join(conditions, " AND "));
  }

  /// How far behind the steps' bits an event's time begins.
  [[nodiscard]] std::size_t time_shift() const {
    return bits_ + (period_.kept.partitions.empty() ? kSeqBits : kMomentBits);
  }

  /// `who`: " AND ..." over the events.
  [[nodiscard]] std::string people_events(const std::string& mask, const std::string& values, const std::string& joins,
                                          const std::string& filter, std::string_view who) const {
    // One millisecond is added because 0 stands for no time.
    return fmt::format(
        "WITH {0} AS mask, bitOr(bitOr(bitShiftLeft(toUInt128(toUnixTimestamp64Milli(event_time) + 1), {1}), "
        "bitShiftLeft(toUInt128(seq), {2})), toUInt128(mask)) AS packed "
        "SELECT user_key AS user, if(user_key = 0, session_id, 0) AS session, arraySort(groupArray(packed)) AS "
        "events{3} FROM marquee.events{4}{5}{6} GROUP BY user, session HAVING bitTest(groupBitOr(mask), 0)",
        mask, bits_ + kSeqBits, bits_, values, joins, filter, who);
  }

  Result<std::string> mask_expression() {
    std::string all;
    std::size_t bit = 0;
    const auto add = [&](const FunnelMatch& match) -> Result<void> {
      const auto name = fmt::format("match{}_", bit);
      parameters_[name + "types"] = array_parameter(match.types);
      const auto filters = filter_conditions(match.filters, "event_time", period_.scope, parameters_, name);
      if (!filters) return filters.error();
      const auto one = fmt::format("bitShiftLeft(to{}(event_type IN {{{}types:Array(String)}}{}), {})", mask_type(),
                                   name, *filters, bit);
      all = all.empty() ? one : fmt::format("bitOr({}, {})", all, one);
      ++bit;
      return {};
    };
    for (const auto& step : request_.steps)
      if (auto added = add(step.match); !added) return Error::reject("steps: " + added.error().message);
    for (const auto& exclusion : request_.exclusions)
      if (auto added = add(exclusion.match); !added) return Error::reject("exclude: " + added.error().message);
    return all;
  }

  /// Events that match nothing are left out: by type first, which is cheap.
  std::string only_matches() {
    std::vector<std::string> types;
    bool has_filters = false;
    const auto add = [&](const FunnelMatch& match) {
      types.insert(types.end(), match.types.begin(), match.types.end());
      has_filters = has_filters || !match.filters.empty();
    };
    for (const auto& step : request_.steps) add(step.match);
    for (const auto& exclusion : request_.exclusions) add(exclusion.match);
    std::ranges::sort(types);
    types.erase(std::ranges::unique(types).begin(), types.end());
    parameters_["types"] = array_parameter(types);
    return fmt::format(" AND event_type IN {{types:Array(String)}}{}", has_filters ? " AND mask != 0" : "");
  }

  Result<std::string> value_expression() {
    std::string time = "event_time";
    if (period_.key_shift_ms != 0) {
      parameters_["shift"] = std::to_string(period_.key_shift_ms);
      time = "(event_time + toIntervalMillisecond({shift:Int64}))";
    }
    const auto key = dimension_expression(request_.by, time);
    if (!key) return Error::reject("by: " + key.error().message);
    return fmt::format("if(bitTest(mask, 0), CAST({}, 'String'), '')", *key);
  }

  /// Times and masks again, and a row for each part of the report that a user has attempts for: the total, and each
  /// value.
  [[nodiscard]] std::string with_parts(const std::string& events) const {
    std::string part = "1 AS is_total, '' AS key";
    if (users_.is_by_segment()) {
      part =
          "arrayJoin(arrayPushFront(arrayMap(v -> (0, v), user_segments), (1, ''))) AS part, part.1 AS is_total, "
          "part.2 "
          "AS key";
    } else if (is_by_value()) {
      part =
          "values, arrayJoin(arrayPushFront(arrayMap(v -> (0, v), arrayDistinct(arrayFilter((v, m) -> bitTest(m, 0), "
          "values, masks))), (1, ''))) AS part, part.1 AS is_total, part.2 AS key";
    }
    if (period_.sample)
      part += fmt::format(", if(user = 0, session, user) % {} AS random_group", SampledMeasure::kGroups);
    return fmt::format(
        "SELECT user, arrayMap(e -> toInt64(bitShiftRight(e, {})), events) AS times, arrayMap(e -> to{}(e), events) AS "
        "masks, {} FROM ({})",
        time_shift(), mask_type(), part, events);
  }

  /// A bit for each exclusion for which it holds.
  template <class Holds>
  [[nodiscard]] std::uint64_t exclusion_bits(Holds holds) const {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < request_.exclusions.size(); ++i)
      if (holds(request_.exclusions[i])) bits |= std::uint64_t{1} << (request_.steps.size() + i);
    return bits;
  }

  /// The step before that is not optional.
  [[nodiscard]] std::size_t previous_required(std::size_t step) const {
    while (request_.steps[--step].is_optional) {
    }
    return step;
  }

  /// Whether an event with mask m is one for the step; in a row of the breakdown step 1 needs the row's value, too.
  [[nodiscard]] std::string matches(std::size_t step, std::string_view value) const {
    if (step == 0 && is_by_value()) return fmt::format("bitTest(m, 0) AND (is_total OR {} = key)", value);
    return fmt::format("bitTest(m, {})", step);
  }

  /// As `array` was before each event.
  static std::string before_each(const std::string& array) {
    return fmt::format("arrayPopBack(arrayPushFront({}, -1))", array);
  }

  /// For each event, the begin of the latest attempt that has come to `step` by then, and has not ended: 0 or less is
  /// none.
  [[nodiscard]] std::string standing(std::size_t step) const {
    const auto begins = fmt::format("begins{}", step);
    if (request_.exclusions.empty()) return fmt::format("arrayFill(b -> b > 0, {})", begins);
    const auto inside =
        exclusion_bits([&](const FunnelExclusion& one) { return one.after_step - 1 < step; }) & ends_after(step);
    const auto from_here = exclusion_bits([&](const FunnelExclusion& one) { return one.after_step - 1 == step; });
    // Behind an event that the exclusion matches only the attempt goes on that takes it for `after_step`.
    return fmt::format(
        "arrayFill(b -> b >= 0, arrayMap((m, b) -> multiIf(bitAnd(m, {}) != 0, 0, b > 0, b, bitAnd(m, {}) != 0, 0, "
        "-1), masks, {}))",
        inside, from_here, begins);
  }
  /// Of the exclusions that hold beyond the step.
  [[nodiscard]] std::uint64_t ends_after(std::size_t step) const {
    return exclusion_bits(
        [&](const FunnelExclusion& one) { return one.before_step.value_or(request_.steps.size()) - 1 > step; });
  }

  /// What a step in strict order may stand directly behind: the step before, and those before it that it leaves out.
  [[nodiscard]] std::string directly_before(std::size_t step) const {
    std::string begins = fmt::format("begins{}", step - 1);
    while (request_.steps[--step].is_optional)
      begins = fmt::format("arrayMap((a, b) -> greatest(a, b), {}, begins{})", begins, step - 1);
    return before_each(begins);
  }

  /// Whether no event can match both.
  [[nodiscard]] bool are_disjoint(std::size_t a, std::size_t b) const {
    return std::ranges::none_of(request_.steps[a].match.types, [&](const std::string& type) {
      return std::ranges::find(request_.steps[b].match.types, type) != request_.steps[b].match.types.end();
    });
  }

  [[nodiscard]] std::string with_step(std::size_t step, const std::string& query) const {
    if (step == 0) {
      const bool is_by = is_by_value();
      return fmt::format(
          "SELECT *, arrayMap((m, t{}) -> if({}, t, -1), masks, times{}) AS begins0, arrayFirstIndex(b -> b > 0, "
          "begins0) AS first0 FROM ({})",
          is_by ? ", v" : "", matches(0, "v"), is_by ? ", values" : "", query);
    }
    const auto previous = previous_required(step);
    std::string before;
    if (request_.order == FunnelOrder::strict) {
      before = directly_before(step);
    } else {
      before = standing(previous);
      // Where an event cannot have changed what stands, it need not be looked at before the event.
      if (!request_.exclusions.empty() || !are_disjoint(previous, step)) before = before_each(before);
    }
    return fmt::format(
        "SELECT *, arrayMap((m, t, b) -> if(bitTest(m, {0}) AND b > 0 AND t - b <= {{window:Int64}}, b, -1), masks, "
        "times, {1}) AS begins{0}, arrayFirstIndex(b -> b > 0, begins{0}) AS first{0}, times[first{0}] - "
        "times[arrayLastIndex(b -> b > 0, arraySlice(begins{2}, 1, first{0} - 1))] AS took{0} FROM ({3})",
        step, before, previous, query);
  }

  /// An attempt in any order has the latest event of each step.
  [[nodiscard]] std::string with_step_in_any_order(std::size_t step, const std::string& query) const {
    const bool is_by = step == 0 && is_by_value();
    const auto ending = exclusion_bits([](const FunnelExclusion&) { return true; });
    std::string latest = fmt::format(
        "arrayFill(t -> t >= 0, arrayMap((m, t{}) -> multiIf({}, t, bitAnd(m, {}) != 0, 0, -1), masks, times{}))",
        is_by ? ", v" : "", matches(step, "v"), ending, is_by ? ", values" : "");
    // What ends an attempt may still be the last event of it.
    if (ending != 0)
      latest = fmt::format("arrayMap((m, t, l{}) -> if({}, t, l), masks, times, {}{})", is_by ? ", v" : "",
                           matches(step, "v"), before_each(latest), is_by ? ", values" : "");
    const auto columns = fmt::format("SELECT *, {} AS latest{}", latest, step);
    if (step == 0)
      return fmt::format("{}, latest0 AS begins0, arrayFirstIndex(b -> b > 0, begins0) AS first0 FROM ({})", columns,
                         query);
    const auto previous = previous_required(step);
    return fmt::format(
        "{0}, arrayMap((a, b) -> least(a, b), begins{2}, latest{1}) AS begins{1}, arrayFirstIndex((b, t) -> b > 0 AND "
        "t - b <= {{window:Int64}}, begins{1}, times) AS first{1}, abs(latest{1}[first{1}] - latest{2}[first{1}]) AS "
        "took{1} FROM ({3})",
        columns, step, previous, query);
  }

  [[nodiscard]] std::string counts(const std::string& query) {
    parameters_["window"] = std::to_string(request_.window_seconds * 1000);
    const auto quantiles = [](const std::string& value, std::size_t step) {
      return fmt::format(", quantilesExactInclusiveIf(0.5, 0.9)({}, first{} > 0)", value, step);
    };
    std::string columns, names;
    for (std::size_t step = 0; step < request_.steps.size(); ++step) {
      columns += fmt::format(", countIf(first{0} > 0) AS users{0}{1} AS times{0}", step,
                             step == 0 ? ", [nan, nan]" : quantiles(fmt::format("took{}", step), step));
      names += fmt::format(", users{0}, times{0}[1], times{0}[2]", step);
    }
    const auto last = request_.steps.size() - 1;
    columns += quantiles(fmt::format("times[first{0}] - begins{0}[first{0}]", last), last) + " AS whole";
    names += ", whole[1], whole[2]";
    if (period_.sample) return counts_of_groups(columns, names, query);
    columns += dropped();
    parameters_["most"] = std::to_string(request_.limit + 2);  // The total, and one that tells whether there are more.
    return fmt::format(
        "SELECT is_total, key{0}, dropped, dropped_without_key, dropped_keys FROM (SELECT is_total, key{1} FROM ({2}) "
        "GROUP BY is_total, key) ORDER BY is_total DESC, users0 DESC, key{3}",
        names, columns, query, period_.is_limited ? " LIMIT {most:UInt64}" : "");
  }

  [[nodiscard]] static std::string counts_of_groups(const std::string& columns, const std::string& names,
                                                    const std::string& query) {
    return fmt::format(
        "SELECT is_total, key{0}, is_group, random_group FROM (SELECT is_total, key, random_group, 1 - "
        "grouping(random_group) AS is_group{1} FROM ({2}) GROUP BY GROUPING SETS ((is_total, key), (is_total, key, "
        "random_group))) ORDER BY is_total DESC, key, is_group",
        names, columns, query);
  }

  /// Whether the user dropped out where it is asked for.
  [[nodiscard]] std::string is_dropped() const {
    const auto step = *request_.dropped_after - 1;
    return fmt::format("is_total AND first{} > 0 AND first{} = 0", step, next_required(request_, step));
  }

  [[nodiscard]] std::string dropped() {
    if (!request_.dropped_after) return ", 0 AS dropped, 0 AS dropped_without_key, '' AS dropped_keys";
    parameters_["key_limit"] = std::to_string(request_.key_limit);
    return fmt::format(
        ", countIf({0}) AS dropped, countIf({0} AND user = 0) AS dropped_without_key, arrayStringConcat(arrayMap(u -> "
        "leftPad(lower(hex(u)), 16, '0'), arraySlice(arraySort(groupArrayIf(user, {0} AND user != 0)), 1, "
        "{{key_limit:UInt64}})), ',') AS dropped_keys",
        is_dropped());
  }

  const FunnelRequest& request_;
  const FunnelPeriod& period_;
  const std::size_t bits_;
  UserDimensions users_;
  clickhouse::Parameters parameters_;
};

}  // namespace

std::size_t next_required(const FunnelRequest& request, std::size_t step) {
  while (request.steps[++step].is_optional) {
  }
  return step;
}

bool are_journeys_enough(const FunnelRequest& request) {
  const auto has_no_filters = [](const auto& one) { return one.match.filters.empty(); };
  return request.filters.empty() && request.by.empty() && std::ranges::all_of(request.steps, has_no_filters) &&
         std::ranges::all_of(request.exclusions, has_no_filters) &&
         request.steps.size() + request.exclusions.size() <= kMostBitsOfJourneys;
}

Result<StoreQuery> funnel_query(const FunnelRequest& request, const FunnelPeriod& period) {
  return Builder(request, period).build();
}

Result<StoreQuery> dropped_query(const FunnelRequest& request) {
  auto whole = request;
  whole.by.clear();
  const FunnelPeriod period{.scope = request.scope};
  return Builder(whole, period).build_dropped();
}

}  // namespace marquee::analytics
