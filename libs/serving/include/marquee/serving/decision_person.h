// Of whom a record of the decisions' log is.
#pragma once

#include <cstdint>
#include <string_view>

namespace marquee::serving {

/// Whether it is of that user of that site (user_key: keyed hash), decided at `until_ms` (milliseconds since the Unix
/// epoch) or before.
[[nodiscard]] bool is_decision_of(std::string_view record, std::string_view site_id, std::uint64_t user_key,
                                  std::int64_t until_ms);

}  // namespace marquee::serving
