// Several deciders that serve the same campaigns.
#pragma once

#include <atomic>
#include <cstdint>

namespace marquee::decision {

/// How many there are, and which of them this one is.
struct Fellows {
  std::uint32_t count = 1;
  std::uint32_t index = 0;  ///< Below `count`, another for each of them.
};

/// Told by who hears of the others; read with every request, without a lock.
using SharedFellows = std::atomic<Fellows>;
static_assert(SharedFellows::is_always_lock_free);

}  // namespace marquee::decision
