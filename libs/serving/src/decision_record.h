// A decision as its log keeps it: the rows of marquee.decisions, one per placement, in ClickHouse's RowBinary, behind
// two bytes that tell their form. So who carries the log to the store need not look into it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/decision/inventory.h"
#include "marquee/decision/request.h"
#include "marquee/event/event.h"

namespace marquee::serving {

/// So many candidates are named in any case. Of more, those are counted that share the chance that most of them have:
/// 1,000 names with score and chance are 20 KB, and all that exploration tells of most is that they are not on its
/// shortlist. The chosen ad is always named.
inline constexpr std::size_t kMostNamed = 32;

void append_record(std::string_view site_id, const decision::Request& request, const decision::Decision& decision,
                   std::string& out);
/// What decisions by this inventory refer to where they do not name all candidates.
void append_inventory(std::string_view site_id, const decision::Inventory& inventory, std::string& out);

/// What of a record is inserted, by which statement (RowBinary).
struct Landing {
  std::string_view insert;
  std::string_view rows;
  bool is_decision = true;
};
/// Action::give_up where the record is of a later program.
[[nodiscard]] Result<Landing> landing_of(std::string_view record);

/// What was served by a logged decision; borrows from the record.
struct LoggedChoice {
  std::string_view site_id, decision_id, campaign_id, category, advertiser, ad_id, slot_id;
  std::int64_t time_ms = 0;
  std::uint64_t user_key = 0;
  std::uint8_t placement = 0;  ///< Of the request's.
  std::uint8_t position = 0;   ///< Among the page's, from 1; 0 where it was not told.
  float propensity = 0;
  std::vector<std::pair<std::string_view, std::string_view>> context = {};  ///< Field and value, for each value.
};
/// What of the event of its impression makes its identity (Seal).
[[nodiscard]] event::Event event_of(const LoggedChoice& choice);
/// Of each placement that has an ad; none of an inventory. Action::give_up where the record is none, or of a later
/// program.
[[nodiscard]] Result<std::vector<LoggedChoice>> read_record(std::string_view record);

/// Asks the store for decisions from {from:Int64} to before {to:Int64}, in the order of time, for read_selected().
[[nodiscard]] std::string select_decisions();
/// As read_record(), of an answer in RowBinary.
[[nodiscard]] Result<std::vector<LoggedChoice>> read_selected(std::string_view rows);

}  // namespace marquee::serving
