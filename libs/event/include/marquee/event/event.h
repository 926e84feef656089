// The event: one thing that a user saw or did, as one wide row. See "The event" in ARCHITECTURE.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "marquee/base/result.h"

namespace marquee::event {

enum class Type : std::uint8_t {
  page_view = 1,
  page_leave,
  impression,
  viewable_impression,
  hover,
  click,
  scroll,
  search,
  course_view,
  course_click,
  conversion,
  exposure,
  custom,
};
inline constexpr std::array<std::string_view, 14> kTypeNames = {
    "",       "page_view", "page_leave",  "impression",   "viewable_impression", "hover",    "click",
    "scroll", "search",    "course_view", "course_click", "conversion",          "exposure", "custom"};
[[nodiscard]] inline std::string_view name(Type type) { return kTypeNames[static_cast<std::size_t>(type)]; }
/// Type::custom is for names that the sender chose to put there; an unknown name is nullopt.
[[nodiscard]] std::optional<Type> parse_type(std::string_view name);

enum class Consent : std::uint8_t { unknown = 0, denied = 1, contextual = 2, full = 3 };

/// Positions and fractions in 1/10,000 of a size; kNoPermyriad where there is none.
using Permyriad = std::uint16_t;
inline constexpr Permyriad kNoPermyriad = 0xFFFF;

inline constexpr std::int64_t kLatestMs = 4'102'444'800'000;  ///< 2100-01-01: beyond it a time is a mistake of unit.
inline constexpr double kLargestValue = 1e12;

/// An event after parsing. Text is borrowed: it lives as long as what the event was parsed or decoded from.
/// Empty text, zero and kNoPermyriad mean "not given".
struct Event {
  // Identity: (session_id, seq) from the SDK, or external_id from a server; unique per site.
  std::string_view site_id;
  std::uint64_t session_id = 0;  ///< Keyed hash of the sender's session id; 0 where none.
  std::uint32_t seq = 0;         ///< From 1 within the session; 0 where the identity is external_id.
  std::string_view external_id;
  // Time, in milliseconds since the Unix epoch.
  std::int64_t event_time_ms = 0;  ///< Corrected for the client's clock.
  std::int64_t received_time_ms = 0;
  Type type = Type::custom;
  // Who.
  std::uint64_t user_key = 0;  ///< Keyed hash, never the raw id; 0 for anonymous without session.
  std::string_view college_id, program, city, device, os, browser;
  std::uint8_t year_of_study = 0;
  bool is_bot = false;
  Consent consent = Consent::unknown;
  // Where.
  std::string_view page_id, page_path, referrer_host, slot_id;
  std::uint8_t position = 0;                              ///< Of the ad among the page's slots, from 1.
  std::uint16_t viewport_width = 0, viewport_height = 0;  ///< CSS pixels.
  Permyriad scroll_depth = kNoPermyriad;
  Permyriad slot_x = kNoPermyriad, slot_y = kNoPermyriad;  ///< Relative to the slot.
  Permyriad page_x = kNoPermyriad, page_y = kNoPermyriad;  ///< Relative to the page.
  // What.
  std::string_view campaign_id, ad_id, decision_id, course_id, search_query;
  std::int32_t results_count = -1;  ///< -1 where not given.
  std::uint32_t dwell_ms = 0, visible_ms = 0;
  double value = 0;
  float propensity = 0;     ///< Of the choice that led here, in (0, 1]; 0 where not logged.
  std::string_view policy;  ///< Policy that chose: version or name.
  std::string_view props;   ///< A JSON object as text, or empty.
};

/// 64-bit hash of what makes the event unique (site and session+seq, or site and external_id). The loader drops repeats
/// by it. Stable across versions and machines: it is computed again from stored rows.
[[nodiscard]] std::uint64_t identity(std::string_view site_id, std::uint64_t session_id, std::uint32_t seq,
                                     std::string_view external_id);
[[nodiscard]] inline std::uint64_t identity(const Event& e) {
  return identity(e.site_id, e.session_id, e.seq, e.external_id);
}

/// Hash of site and user, by which events are kept together and in order. Users without key go by session.
[[nodiscard]] std::uint64_t partition_key(const Event& event);
/// Partition of the log: partition_key modulo `partitions`.
[[nodiscard]] std::uint32_t partition_of(const Event& event, std::uint32_t partitions);

/// Appends the event's binary form (versioned, varint, absent fields cost a bit) to `out`. The log's records are these.
void encode(const Event& event, std::string& out);
/// Reads one encoded event; text borrows from `bytes`. Refuses (Action::reject) anything malformed without reading
/// beyond.
[[nodiscard]] Result<Event> decode(std::string_view bytes);
/// Refuses (Action::reject) an event that the store could not hold or a rollup not count: a time beyond 1970 to 2100, a
/// number that is none. Parsed events are all right; decoded ones may have been written by anybody.
[[nodiscard]] Result<void> check(const Event& event);

/// The event as one JSON object that Parser reads, for a trusted key, as the same event: with site_id, received_time,
/// and the hashes of session and user as session_key and user_key. What Parser would refuse (a value that is no number,
/// props that are no object) is written so that it is refused. Action::reject where a text is no UTF-8.
[[nodiscard]] Result<std::string> to_json(const Event& event);

}  // namespace marquee::event
