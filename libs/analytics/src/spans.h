// Spans of time in milliseconds.
#pragma once

#include <cstdint>

namespace marquee::analytics {

inline constexpr std::int64_t kMinute = 60'000, kHour = 60 * kMinute, kDay = 24 * kHour;

}  // namespace marquee::analytics
