// A decision as its log keeps it: the rows of marquee.decisions, one per placement, in ClickHouse's RowBinary. So who
// carries the log to the store need not look into it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/decision/request.h"
#include "marquee/event/event.h"

namespace marquee::serving {

inline constexpr std::string_view kDecisionInsert =
    "INSERT INTO marquee.decisions (site_id, decision_id, placement, decision_time, user_key, policy, "
    "inventory_version, slot_id, position, campaign_id, ad_id, because, propensity, is_bound, context, candidate_ads, "
    "candidate_scores, candidate_propensities)";

void append_record(std::string_view site_id, const decision::Request& request, const decision::Decision& decision,
                   std::string& out);

/// What was served by a logged decision; borrows from the record.
struct LoggedChoice {
  std::string_view site_id, decision_id, campaign_id, ad_id, slot_id;
  std::int64_t time_ms = 0;
  std::uint64_t user_key = 0;
  std::uint8_t placement = 0;  ///< Of the request's.
  std::uint8_t position = 0;   ///< Among the page's, from 1; 0 where it was not told.
  std::vector<std::pair<std::string_view, std::string_view>> context = {};  ///< Field and value, for each value.
};
/// What of the event of its impression makes its identity (Seal).
[[nodiscard]] event::Event event_of(const LoggedChoice& choice);
/// Of each placement that has an ad. Action::give_up where the record is none.
[[nodiscard]] Result<std::vector<LoggedChoice>> read_record(std::string_view record);

}  // namespace marquee::serving
