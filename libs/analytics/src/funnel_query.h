// The SQL of funnels: what it means is told in marquee/analytics/funnel.h.
//
// A user's events become one sorted array, and each step an array beside it: for each event, the begin of the latest
// attempt for the step that ends with it. Of all attempts that have come to a step the one that began last can still do
// whatever another can, so that is all that the next step needs to know, and one pass over the arrays per step counts
// users and times, however many attempts there are.
#pragma once

#include <string>

#include "journey_rows.h"
#include "marquee/analytics/funnel.h"
#include "query.h"

namespace marquee::analytics {

/// Which part of the report is asked for.
struct FunnelPeriod {
  Scope scope;
  std::int64_t key_shift_ms = 0;      ///< Rows that are times are told by those so much later.
  bool is_limited = true;             ///< At most as many rows as the limit allows, and one more.
  std::optional<double> sample = {};  ///< A share of the users.
  KeptDays kept = {};                 ///< Of these the journeys are read, not the events. None in a sample.
};

/// Whether journeys have all that the funnel asks for.
[[nodiscard]] bool are_journeys_enough(const FunnelRequest& request);

/// Rows: is_total; key; of each step the users, the median and the ninetieth percentile of the time from the previous
/// one; both of the whole time; of those who dropped out, users, users without key, and keys separated by commas. The
/// total comes first; where there is nothing to count, there is no row. The request has been checked.
/// Of a sample: all rows, behind each of them those of the random groups that its users fall into; the last columns are
/// whether the row is of such a group, and which.
[[nodiscard]] Result<StoreQuery> funnel_query(const FunnelRequest& request, const FunnelPeriod& period);

/// Rows: user_key of each user with key who dropped out after request.dropped_after. The request has been checked.
[[nodiscard]] Result<StoreQuery> dropped_query(const FunnelRequest& request);

/// The step that users reach next after step `step` (from 0): the first that is not optional.
[[nodiscard]] std::size_t next_required(const FunnelRequest& request, std::size_t step);

}  // namespace marquee::analytics
