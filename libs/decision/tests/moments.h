// When the tests' campaigns run.
#pragma once

#include <cstdint>

#include "marquee/base/time.h"
#include "spans.h"

namespace marquee::decision {

inline constexpr std::int64_t kMidnight = 1'795'737'600'000;  // 2026-11-27T00:00Z
inline constexpr std::int64_t kNow = kMidnight;
inline constexpr Millis kReserve{300'000};  ///< How long what is served is kept in reserve.

}  // namespace marquee::decision
