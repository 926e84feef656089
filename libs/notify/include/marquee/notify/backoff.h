// How long to wait before what failed is tried again.
#pragma once

#include <cstdint>
#include <optional>

#include "marquee/base/time.h"

namespace marquee::notify {

struct Backoff {
  Millis first{5'000};        ///< After the first failure; each further one doubles it.
  Millis longest{3'600'000};  ///< However many there were.
};

/// After `tries` failures: the full wait and half of it are the bounds, `random` in [0, 1) says where between them, so
/// that many who failed together do not come back together. What a receiver asks for (Retry-After) is kept to as far as
/// the longest wait allows.
[[nodiscard]] Millis wait_after(const Backoff& backoff, int tries, double random,
                                std::optional<Millis> asked_for = std::nullopt);

}  // namespace marquee::notify
