// What a page asks, and what it is told.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/decision/campaign.h"

namespace marquee::decision {

class Inventory;
class Ranker;
struct AdRow;

/// 128 random bits.
struct DecisionId {
  std::uint64_t high = 0, low = 0;
  bool operator==(const DecisionId&) const = default;
};
[[nodiscard]] DecisionId make_decision_id();
/// 32 hexadecimal digits.
[[nodiscard]] std::string text_of(const DecisionId& id);

/// One thing that is known of a request. Text is borrowed.
struct Known {
  Field field = Field::page;
  std::string_view name = {};  ///< Of an attribute.
  std::string_view value = {};
};

/// Who and where. A field may have several values (search terms, segments) or none.
struct Context {
  std::int64_t time_ms = 0;
  std::vector<Known> known = {};  ///< All but the slot, which is each placement's own.

  void add(Field field, std::string_view value, std::string_view name = {}) {
    if (!value.empty()) known.push_back({field, name, value});
  }
};

/// Lower-case words of a search query, as targeting compares them: letters and digits, and whatever is not ASCII.
[[nodiscard]] std::vector<std::string> search_terms(std::string_view query);

/// Whether a field tells who the user is rather than where and when: not looked at without permission.
[[nodiscard]] bool is_personal(Field field);

/// Whether a campaign's targeting may ask for it.
[[nodiscard]] bool is_for_targeting(Field field);

struct Placement {
  std::string_view slot = {};
  std::uint8_t position = 0;  ///< Among the page's, from 1.
};

/// Of an engine that must not know more of the user than it may: `user_key` is 0 and no known field is personal where
/// there is no consent, or the user is or may be a minor.
struct Request {
  DecisionId id = {};
  Context context = {};
  std::uint64_t user_key = 0;  ///< 0: nobody is known, and nothing is counted for anybody.
  std::vector<Placement> placements = {};
  std::vector<std::string_view> blocked_categories = {};
  std::vector<std::string_view> blocked_advertisers = {};  ///< Those on the page already among them.
  std::int64_t floor_micros = 0;                           ///< eCPM; the greater of this and the slot's holds.
  bool wants_reasons = false;
};

/// "learned" of "learned-17": what reports count by, which would have a line for every second otherwise.
[[nodiscard]] std::string_view without_version(std::string_view policy);

/// Why an ad is not a candidate, or a placement has none.
enum class Because : std::uint8_t {
  chosen,  ///< It is one, or was chosen.
  unknown_slot,
  no_candidate,
  not_logged,  ///< The decision could not be written down, so nothing is served by it.
  not_ready,   ///< What has been delivered before is not known yet.
  targeting,
  dates,
  schedule,
  creative,  ///< The slot takes no such kind or size.
  floor,
  blocked,
  budget,
  pacing,
  cap,
  repeat,           ///< Already on this page.
  competition,      ///< With what is on this page.
  page_not_filled,  ///< A roadblock or a set of companions that does not fit on the page.
  lower_tier,
};
[[nodiscard]] std::string_view name(Because because);

struct Candidate {
  const AdRow* ad = nullptr;
  std::uint32_t row = 0;  ///< Of the ad, here as well: where there are a thousand, reading it there takes its time.
  float score = 0;
  float value = 0;  ///< What showing it is worth, in an auction: in proportion to its bid. Else 0.
  float propensity = 0;
};

struct Choice {
  const AdRow* ad = nullptr;  ///< Null: none, and `because` says why.
  Because because = Because::no_candidate;
  float propensity = 0;                    ///< Of the ad, given what was chosen in the turns before.
  std::uint8_t turn = 0;                   ///< Of the page's placements it was filled as this one, from 1.
  bool is_bound = false;                   ///< It came with an ad chosen before (roadblock, companions).
  std::int64_t price_micros = 0;           ///< Of a thousand impressions or a click, by the campaign's price.
  std::vector<Candidate> candidates = {};  ///< All that could have been chosen; their propensities sum to one.
  std::vector<std::pair<const AdRow*, Because>> excluded = {};  ///< Where reasons are wanted: all other ads.
};

struct Decision {
  DecisionId id;
  std::int64_t time_ms = 0;
  std::uint64_t user_key = 0;
  std::string_view policy;                     ///< Lives as long as its ranker,
  std::shared_ptr<const Ranker> ranker = {};   ///< which this keeps; null: the decider's own.
  std::shared_ptr<const Inventory> inventory;  ///< Keeps what `ad` points to.
  std::vector<Choice> choices;                 ///< One per placement.
};

}  // namespace marquee::decision
