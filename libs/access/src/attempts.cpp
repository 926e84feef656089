#include "marquee/access/attempts.h"

#include <algorithm>
#include <cmath>

namespace marquee::access {

std::optional<Millis> AttemptLimit::begin(std::string_view key, WallTime now) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    if (buckets_.size() >= rules_.most) {
      by_key_.erase(buckets_.back().key);
      buckets_.pop_back();
    }
    buckets_.push_front({std::string(key), 1, now});
    by_key_.emplace(buckets_.front().key, buckets_.begin());
    return std::nullopt;
  }
  Bucket& bucket = *found->second;
  const auto passed = std::max(now - bucket.at, Millis(0));  // A clock that is set back gives nothing.
  bucket.level =
      std::max(0.0, bucket.level - static_cast<double>(passed.count()) / static_cast<double>(rules_.refill.count()));
  bucket.at = now;
  if (bucket.level + 1 > rules_.burst) {
    const double missing = bucket.level + 1 - rules_.burst;
    return Millis(static_cast<std::int64_t>(std::ceil(missing * static_cast<double>(rules_.refill.count()))));
  }
  bucket.level += 1;
  buckets_.splice(buckets_.begin(), buckets_, found->second);
  return std::nullopt;
}

void AttemptLimit::take_back(std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) found->second->level = std::max(0.0, found->second->level - 1);
}

}  // namespace marquee::access
