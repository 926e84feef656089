#include "marquee/event/event.h"

#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace marquee::event {

std::optional<Type> parse_type(std::string_view name) {
  const auto it = std::find(kTypeNames.begin() + 1, kTypeNames.end(), name);
  if (it == kTypeNames.end()) return std::nullopt;
  return static_cast<Type>(it - kTypeNames.begin());
}

std::uint64_t identity(std::string_view site_id, std::uint64_t session_id, std::uint32_t seq,
                       std::string_view external_id) {
  // Seeded by the site; the kind of identity is told apart by what is hashed: 12 bytes or the text with a mark.
  const auto site = XXH3_64bits(site_id.data(), site_id.size());
  if (!external_id.empty())
    return XXH3_64bits_withSeed(external_id.data(), external_id.size(), site ^ 0x9E3779B97F4A7C15ULL);
  char bytes[12];
  std::memcpy(bytes, &session_id, 8);
  std::memcpy(bytes + 8, &seq, 4);
  return XXH3_64bits_withSeed(bytes, sizeof bytes, site);
}

std::uint64_t partition_key(const Event& event) {
  const auto site = XXH3_64bits(event.site_id.data(), event.site_id.size());
  if (event.user_key != 0 || event.session_id != 0) {
    const auto who = event.user_key != 0 ? event.user_key : event.session_id;
    return XXH3_64bits_withSeed(&who, sizeof who, site);
  }
  return XXH3_64bits_withSeed(event.external_id.data(), event.external_id.size(), site);
}

std::uint32_t partition_of(const Event& event, std::uint32_t partitions) {
  return partitions <= 1 ? 0 : static_cast<std::uint32_t>(partition_key(event) % partitions);
}

Result<void> check(const Event& event) {
  const auto is_time = [](std::int64_t ms) { return ms >= 0 && ms < kLatestMs; };
  if (!is_time(event.event_time_ms)) return Error::reject("event_time: not between 1970 and 2100");
  if (!is_time(event.received_time_ms)) return Error::reject("received_time: not between 1970 and 2100");
  // Written so that NaN is refused.
  if (!(std::abs(event.value) <= kLargestValue)) return Error::reject("value: no number of at most 1e12");
  if (!(event.propensity >= 0 && event.propensity <= 1)) return Error::reject("propensity: no probability");
  for (const Permyriad part : {event.scroll_depth, event.slot_x, event.slot_y, event.page_x, event.page_y}) {
    if (part > 10'000 && part != kNoPermyriad) return Error::reject("position: beyond 10,000");
  }
  return {};
}

}  // namespace marquee::event
