#include "marquee/notify/backoff.h"

#include <algorithm>

namespace marquee::notify {

Millis wait_after(const Backoff& backoff, int tries, double random, std::optional<Millis> asked_for) {
  auto full = std::min(backoff.first, backoff.longest);
  for (int i = 1; i < tries && full < backoff.longest; ++i) full = std::min(full * 2, backoff.longest);
  const Millis wait(full.count() - static_cast<std::int64_t>(random * static_cast<double>(full.count()) / 2));
  return std::max(wait, std::min(asked_for.value_or(Millis(0)), backoff.longest));
}

}  // namespace marquee::notify
