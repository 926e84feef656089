#include "marquee/ingest/rate_limiter.h"

#include <algorithm>
#include <cmath>

namespace marquee::ingest {
namespace {

constexpr std::size_t kManyBuckets = 100'000;  ///< Beyond, those that are full again are forgotten.

double capacity(double rate) { return std::max(1.0, rate); }

}  // namespace

std::uint64_t RateLimiter::wait_seconds(std::string_view name, double rate, Clock::time_point now) {
  if (rate <= 0) return 0;
  const std::lock_guard lock(mutex_);
  const double tokens = fill(name, rate, now).tokens;
  if (tokens > 0) return 0;
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(-tokens / rate)));
}

void RateLimiter::charge(std::string_view name, double rate, double tokens, Clock::time_point now) {
  if (rate <= 0) return;
  const std::lock_guard lock(mutex_);
  fill(name, rate, now).tokens -= tokens;
}

RateLimiter::Bucket& RateLimiter::fill(std::string_view name, double rate, Clock::time_point now) {
  auto found = buckets_.find(name);
  if (found == buckets_.end()) {
    if (buckets_.size() >= kManyBuckets) forget_full(rate, now);
    found = buckets_.emplace(std::string(name), Bucket{capacity(rate), now}).first;
  }
  Bucket& bucket = found->second;
  const double seconds = std::chrono::duration<double>(now - bucket.filled).count();
  bucket.tokens = std::min(capacity(rate), bucket.tokens + std::max(0.0, seconds) * rate);
  bucket.filled = now;
  return bucket;
}

void RateLimiter::forget_full(double rate, Clock::time_point now) {
  std::erase_if(buckets_, [&](const auto& entry) {
    const double seconds = std::chrono::duration<double>(now - entry.second.filled).count();
    return entry.second.tokens + seconds * rate >= capacity(rate);
  });
}

}  // namespace marquee::ingest
