// Errors come from random groups and the jackknife over them: K. M. Wolter, Introduction to Variance Estimation, 2nd
// edition, chapters 2 and 4.
#include "sample.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "answer_rows.h"
#include "spans.h"

namespace marquee::analytics {
namespace {

constexpr std::size_t kGroups = SampledMeasure::kGroups;
constexpr std::size_t kWhole = 255;             ///< The part of events that are all there.
constexpr double kEventsOfMinutes = 2e6;        ///< Of nobody, that a sample reads.
constexpr std::uint64_t kEventsOfJourney = 12;  ///< That take as long to read as what one person did in a day.
constexpr double kStudent = 2.0395;             ///< 97.5 % of Student's t with 31 degrees of freedom.
constexpr std::size_t kLeastGroups = 16;        ///< For a quantile's bounds.
/// As the order of the events has it (ingest::kEventOrder), for the primary key to find it.
constexpr const char* kSession = "if(user_key = 0, session_id, 0)";
static_assert(kGroups == 32);

/// Up to which one hashes are of the share.
std::string last_hash(double fraction) {
  return std::to_string(fraction == 1 ? std::numeric_limits<std::uint64_t>::max()
                                      : static_cast<std::uint64_t>(std::ldexp(fraction, 64)));
}

std::string minute_of(const std::optional<std::int64_t>& time_ms, const char* otherwise) {
  if (time_ms) return std::to_string(*time_ms / kMinute);
  return fmt::format("(SELECT intDiv(toUnixTimestamp({}(event_time)), 60) FROM marquee.events)", otherwise);
}

/// "[1,-2]".
std::vector<std::int64_t> numbers(std::string_view text) {
  std::vector<std::int64_t> values;
  for (const char* at = text.data() + 1; at < text.data() + text.size() - 1;) {
    std::int64_t value = 0;
    at = std::from_chars(at, text.data() + text.size(), value).ptr + 1;
    values.push_back(value);
  }
  return values;
}

/// The sum of all where the groups have these weights among each other.
double weighed(const SampledMeasure& measure, const Share& share, const std::array<double, kGroups>& weights) {
  auto total = static_cast<double>(measure.whole);
  for (std::size_t g = 0; g < kGroups; ++g)
    total += weights[g] * (static_cast<double>(measure.by_group[g]) / share.of_users +
                           static_cast<double>(measure.by_minute[g]) / share.of_minutes);
  return total;
}

MetricValue bounded(double value, double error) {
  return {value, value < 0 ? value - error : std::max(0.0, value - error), value + error};
}

}  // namespace

Result<void> check_fraction(double fraction) {
  if (!(fraction > 0 && fraction <= 1)) return Error::reject("sample: expected a share above 0, at most 1");
  return {};
}

Result<Share> share_of(CachedStore& store, const Scope& read, double fraction) {
  if (fraction == 1) return Share{};
  // The primary key alone answers this: no further condition.
  auto query = fmt::format(
      "SELECT count() FROM marquee.events WHERE site_id = {{site:String}} AND user_key = 0 AND {} = 0", kSession);
  clickhouse::Parameters parameters = {{"site", read.site}};
  const auto bound = [&](const char* name, const char* sign, const std::optional<std::int64_t>& time) {
    if (!time) return;
    parameters[name] = std::to_string(*time);
    query += fmt::format(" AND event_time {} fromUnixTimestamp64Milli({{{}:Int64}}, 'UTC')", sign, name);
  };
  bound("from", ">=", read.from_ms);
  bound("to", "<", read.to_ms);
  const auto counted = store.table("events", read, query, parameters);
  if (!counted) return counted.error();
  const auto events = static_cast<double>(number(counted->rows.at(0).at(0)));
  return Share{fraction, events <= kEventsOfMinutes ? 1 : kEventsOfMinutes / events};
}

std::string events_of(const Share& share, const Scope& read, clickhouse::Parameters& parameters) {
  parameters["last_key"] = last_hash(share.of_users);
  auto condition = fmt::format(" AND user_key <= {{last_key:UInt64}} AND {} <= {{last_key:UInt64}}", kSession);
  if (share.of_minutes == 1) return condition;
  parameters["last_minute"] = last_hash(share.of_minutes);
  return condition +
         fmt::format(
             " AND (user_key != 0 OR {} != 0 OR toStartOfMinute(event_time) IN (SELECT toDateTime(minute * 60, 'UTC') "
             "FROM (SELECT arrayJoin(range(toUInt32({}), toUInt32({}) + 1)) AS minute) WHERE "
             "cityHash64(minute) <= {{last_minute:UInt64}}))",
             kSession, minute_of(read.from_ms, "min"), minute_of(read.to_ms, "max"));
}

std::string keyed_users_of(double fraction, clickhouse::Parameters& parameters) {
  parameters["last_key"] = last_hash(fraction);
  return " AND user_key != 0 AND user_key <= {last_key:UInt64}";
}

std::string keyless_sessions_of(double fraction, clickhouse::Parameters& parameters) {
  parameters["last_key"] = last_hash(fraction);
  return fmt::format(" AND user_key = 0 AND {0} != 0 AND {0} <= {{last_key:UInt64}}", kSession);
}

std::string part_of_person(std::string_view who, const std::optional<double>& fraction) {
  return fraction ? fmt::format("{} % {}", who, kGroups) : std::to_string(kWhole);
}

std::string part_of_event(const Share& share) {
  const auto of_nobody =
      share.of_minutes == 1
          ? std::to_string(kWhole)
          : fmt::format("{0} + cityHash64(intDiv(toUnixTimestamp(event_time), 60)::UInt32) % {0}", kGroups);
  return fmt::format("multiIf(user_key != 0, user_key % {0}, session_id != 0, session_id % {0}, {1})", kGroups,
                     of_nobody);
}

std::string estimated_sum(std::string_view column, const Share& share) {
  return fmt::format("sum({} * multiIf(part < {}, {}, part = {}, 1, {}))", column, kGroups, 1 / share.of_users, kWhole,
                     1 / share.of_minutes);
}

SampledMeasure measure_of(const std::string& parts, const std::string& sums) {
  SampledMeasure measure;
  const auto all = numbers(parts), values = numbers(sums);
  for (std::size_t i = 0; i < all.size() && i < values.size(); ++i) {
    const auto part = static_cast<std::size_t>(all[i]);
    (part == kWhole   ? measure.whole
     : part < kGroups ? measure.by_group[part]
                      : measure.by_minute[part % kGroups]) += values[i];
  }
  return measure;
}

void add(SampledMeasure& sum, const SampledMeasure& part) {
  sum.whole += part.whole;
  for (std::size_t g = 0; g < kGroups; ++g) {
    sum.by_group[g] += part.by_group[g];
    sum.by_minute[g] += part.by_minute[g];
  }
}

PeopleCount people_count(const SampledMeasure& sum, const std::optional<double>& fraction) {
  if (!fraction) return {static_cast<std::uint64_t>(sum.whole), {}};
  const auto bounds = estimate(sum, nullptr, {.of_users = *fraction});
  return {static_cast<std::uint64_t>(std::llround(*bounds.value)), bounds};
}

MetricValue estimate(const SampledMeasure& sum, const SampledMeasure* divisor, const Share& share, double scale) {
  const auto value_with = [&](const std::array<double, kGroups>& weights) -> std::optional<double> {
    const double numerator = weighed(sum, share, weights) * scale;
    if (divisor == nullptr) return numerator;
    const double denominator = weighed(*divisor, share, weights);
    return denominator == 0 ? std::nullopt : std::optional(numerator / denominator);
  };
  std::array<double, kGroups> weights;
  weights.fill(1);
  const auto value = value_with(weights);
  if (!value) return {};
  std::array<double, kGroups> without = {};
  double mean = 0;
  for (std::size_t g = 0; g < kGroups; ++g) {
    weights.fill(static_cast<double>(kGroups) / (kGroups - 1));
    weights[g] = 0;
    without[g] = value_with(weights).value_or(*value);
    mean += without[g] / kGroups;
  }
  double squares = 0;
  for (const double one : without) squares += (one - mean) * (one - mean);
  // Of a finite population a share is known; the smaller one where there are two, which errs to the wide side.
  const double unknown = 1 - std::min(share.of_users, share.of_minutes);
  return bounded(*value, kStudent * std::sqrt(unknown * squares * (kGroups - 1) / kGroups));
}

MetricValue estimate_quantile(double value, const std::vector<double>& of_groups, double fraction) {
  if (of_groups.size() < kLeastGroups) return {value, {}, {}};
  const auto count = static_cast<double>(of_groups.size());
  double mean = 0;
  for (const double one : of_groups) mean += one / count;
  double squares = 0;
  for (const double one : of_groups) squares += (one - mean) * (one - mean);
  return bounded(value, kStudent * std::sqrt((1 - fraction) * squares / (count * (count - 1))));
}

Result<std::uint64_t> rows_to_read(clickhouse::Client& store, const std::string& query,
                                   const clickhouse::Parameters& parameters) {
  const auto parts = store.table("EXPLAIN ESTIMATE " + query, parameters);
  if (!parts) return parts.error();
  std::uint64_t rows = 0;
  for (const auto& part : parts->rows) rows += number(part.at(3)) * (part.at(1) == "journeys" ? kEventsOfJourney : 1);
  return rows;
}

}  // namespace marquee::analytics
