// Spans of time in milliseconds.
#pragma once

#include <cstdint>

namespace marquee::decision {

inline constexpr std::int64_t kSecond = 1'000, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;

}  // namespace marquee::decision
