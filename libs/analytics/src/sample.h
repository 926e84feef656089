// A share of the users, counted instead of all of them: which events it has, and what it tells of all.
//
// Users' keys and sessions are hashes, so those up to some value are a share of them at random. The order of the events
// (ingest::kEventOrder) has users by key and, without user, sessions, so the primary key finds them. Events of nobody,
// without user and session, stand together in order of time: where they are few all of them are counted, else those of
// a share of the minutes, at random, which the primary key finds as well.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cached_store.h"
#include "marquee/analytics/reports.h"

namespace marquee::analytics {

/// Each above 0, at most 1.
struct Share {
  double of_users = 1;    ///< And of the sessions without user.
  double of_minutes = 1;  ///< Of the events without user and session.
};

/// Action::reject, "sample: ...", unless it is a share above 0, at most 1.
[[nodiscard]] Result<void> check_fraction(double fraction);
/// A share of the people, and so much of the events of nobody that those of the scope do not take longer.
[[nodiscard]] Result<Share> share_of(CachedStore& store, const Scope& read, double fraction);

/// " AND ..." over the events: those of the share, with its values bound.
[[nodiscard]] std::string events_of(const Share& share, const Scope& read, clickhouse::Parameters& parameters);
/// " AND ..." over the events: those of whole users with key, and of whole sessions without. Two questions, as a
/// session may have both.
[[nodiscard]] std::string keyed_users_of(double fraction, clickhouse::Parameters& parameters);
[[nodiscard]] std::string keyless_sessions_of(double fraction, clickhouse::Parameters& parameters);

/// A query of what whole users and sessions did: `query_of` makes it of a condition over the events, " AND ..." or
/// nothing.
template <class QueryOf>
[[nodiscard]] std::string of_people(const std::optional<double>& fraction, clickhouse::Parameters& parameters,
                                    QueryOf query_of) {
  if (!fraction) return query_of("");
  return query_of(keyed_users_of(*fraction, parameters)) + " UNION ALL " +
         query_of(keyless_sessions_of(*fraction, parameters));
}
/// Which part of it one is in, by his key or his session, as SQL for measure_of(); exact where there is no share.
[[nodiscard]] std::string part_of_person(std::string_view who, const std::optional<double>& fraction);

/// Which part of a sample an event is in, as SQL: users and sessions fall into groups at random, and so do minutes.
/// Errors are told from the groups' differences.
[[nodiscard]] std::string part_of_event(const Share& share);
/// The sum over the parts that stands for all events, as SQL: `column` has a row's sum in each `part`.
[[nodiscard]] std::string estimated_sum(std::string_view column, const Share& share);

/// A sum over a sample, by its parts.
struct SampledMeasure {
  static constexpr std::size_t kGroups = 32;
  std::int64_t whole = 0;                            ///< Of events that are all there.
  std::array<std::int64_t, kGroups> by_group = {};   ///< Of users and sessions.
  std::array<std::int64_t, kGroups> by_minute = {};  ///< Of events of nobody.
};
void add(SampledMeasure& sum, const SampledMeasure& part);
/// Of the store's arrays, parts and the sum in each of them.
[[nodiscard]] SampledMeasure measure_of(const std::string& parts, const std::string& sums);

/// What the sample says of all: of a sum, or of the ratio to another; with what bounds the exact value (95 %), by the
/// jackknife over the groups. Absent where it is a ratio to nothing.
[[nodiscard]] MetricValue estimate(const SampledMeasure& sum, const SampledMeasure* divisor, const Share& share,
                                   double scale = 1);
/// A number of people of a share of them, or of all.
struct PeopleCount {
  std::uint64_t value = 0;
  std::optional<MetricValue> bounds = {};  ///< Of a share.
};
[[nodiscard]] PeopleCount people_count(const SampledMeasure& sum, const std::optional<double>& fraction);

/// What bounds a quantile of all, which is `value` in the sample and `of_groups` in those random groups that have one;
/// absent where the groups are too few.
[[nodiscard]] MetricValue estimate_quantile(double value, const std::vector<double>& of_groups, double fraction);

/// How many rows of the events the query would read, by the store's estimate; of journeys, how many would take as long.
[[nodiscard]] Result<std::uint64_t> rows_to_read(clickhouse::Client& store, const std::string& query,
                                                 const clickhouse::Parameters& parameters);

}  // namespace marquee::analytics
