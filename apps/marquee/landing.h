// Waiting until what was sent can be counted.
#pragma once

#include <atomic>
#include <functional>

#include "app.h"

namespace marquee::app {

/// Waits until every event that `running` had acknowledged when this was called has landed in the store, so that
/// reports count it. Ends early when `stop` is set or Marquee is gone (false). `on_wait` hears how many are still to
/// land.
[[nodiscard]] bool wait_landed(const Running& running, const std::atomic<bool>& stop,
                               const std::function<void(std::uint64_t)>& on_wait);

}  // namespace marquee::app
