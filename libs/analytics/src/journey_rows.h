// The rows of journeys, made from the events: for keeping them, and for the days of which none are kept.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/analytics/journeys.h"
#include "marquee/analytics/reports.h"
#include "spans.h"

namespace marquee::analytics {

/// What is left of a moment for the order of events of one millisecond.
constexpr unsigned kMomentBits = 5;
/// What the store says where more than 32 different seqs of one person stand at one millisecond: then the events
/// themselves must be asked.
constexpr std::string_view kCrowdedMoment = "marquee: a person has too many events at one time for journeys";

/// The columns of marquee.journeys that hold moments: names of event types.
[[nodiscard]] const std::vector<std::string_view>& journey_types();

/// A query of site_id, user_key, session_id, day and the columns of `types`, as marquee.journeys has them, over the
/// events that pass `condition`, " WHERE ...". Of other types none are looked at.
[[nodiscard]] std::string journey_rows(const std::vector<std::string_view>& types, std::string_view condition);

/// A query of all columns of marquee.search_sessions but build. `condition` as there.
[[nodiscard]] std::string search_session_rows(std::string_view condition);

/// Days of a scope whose journeys are those of their events, as of now.
struct KeptDays {
  std::map<std::string, std::string> partitions;  ///< Of marquee.journeys and marquee.search_sessions, by day.
  std::uint64_t events = 0;                       ///< Of these days.
  std::uint64_t all_events = 0;                   ///< Of all days that the scope touches.
  /// Whether most of the scope is there: else reading the events alone is no slower.
  [[nodiscard]] bool is_worth_it() const { return !partitions.empty() && events * 2 >= all_events; }
};
/// The days of the scope that have events, in order.
[[nodiscard]] Result<std::vector<JourneyDay>> journey_days(clickhouse::Client& store, const Scope& scope);
[[nodiscard]] std::string journey_partition(std::string_view day, std::uint64_t build);
[[nodiscard]] Result<KeptDays> kept_days(clickhouse::Client& store, const Scope& scope);
/// Whether the store refused because of kCrowdedMoment: what was asked must be asked of the events alone.
[[nodiscard]] bool is_refused_by_journeys(const Result<clickhouse::Table>& answer);
/// The scope without days that it does not have whole.
[[nodiscard]] Scope whole_days(const Scope& scope);
/// " AND ..." over the events: of days that are not kept; binds them.
[[nodiscard]] std::string of_other_days(const KeptDays& kept, clickhouse::Parameters& parameters);
/// " WHERE ..." over a table of journeys: the site's rows of these days; binds them.
[[nodiscard]] std::string of_kept_days(const KeptDays& kept, const Scope& scope, clickhouse::Parameters& parameters);

}  // namespace marquee::analytics
