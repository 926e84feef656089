#include "marquee/learning/delayed_clicks.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace marquee::learning {
namespace {

constexpr double kLeastShare = 0.05;
constexpr double kBucketsPerOctave = 4;

// Where a delay stands among the buckets: bucket b holds those of 2^(b/4) - 1 to 2^((b+1)/4) - 1 milliseconds.
double bucket_of(Millis delay) {
  const auto ms = static_cast<double>(std::max<Millis::rep>(delay.count(), 0));
  return kBucketsPerOctave * std::log2(ms + 1);
}

}  // namespace

void DelayedClicks::show(std::uint64_t id, WallTime at, Impression impression) {
  advance(at);
  if (!place_.try_emplace(id, gone_ + waiting_.size()).second) return;
  waiting_.push_back({id, at, false, std::move(impression)});
  // Those that came out of order wait for those before them; their order is the log's.
  while (waiting_.size() > options_.max_waiting) {
    ++learned_early_;
    learn_oldest(now_ - waiting_.front().shown);
  }
}

bool DelayedClicks::click(std::uint64_t id, WallTime shown, WallTime at) {
  if (at < shown || at - shown > options_.horizon) return false;
  if (const auto place = place_.find(id); place != place_.end()) {
    auto& waiting = waiting_[place->second - gone_];
    if (waiting.is_clicked) return false;
    if (at - shown <= options_.window) waiting.is_clicked = true;
  }
  count_delay(at - shown);
  return true;
}

void DelayedClicks::advance(WallTime now) {
  now_ = std::max(now_, now);
  while (!waiting_.empty() && now_ - waiting_.front().shown >= options_.window) learn_oldest(options_.window);
}

void DelayedClicks::learn_oldest(Millis age) {
  const auto& oldest = waiting_.front();
  learn_(oldest.impression, oldest.is_clicked ? 1 / share_within(age) : 0);
  place_.erase(oldest.id);
  waiting_.pop_front();
  ++gone_;
}

void DelayedClicks::count_delay(Millis delay) {
  const auto bucket = std::min(static_cast<std::size_t>(bucket_of(delay)), delays_.size() - 1);
  delays_[bucket] += 1;
  delays_total_ += 1;
  if (delays_total_ < 2 * options_.memory_clicks) return;
  // Whole numbers: their sum is the same in any order, after restore(), too.
  for (auto& count : delays_) count = std::floor(count / 2);
  delays_total_ = std::accumulate(delays_.begin(), delays_.end(), 0.0);
}

double DelayedClicks::share_within(Millis age) const {
  if (delays_total_ == 0) return 1;
  const double end = std::min(bucket_of(age), static_cast<double>(delays_.size()));
  const auto whole = static_cast<std::size_t>(end);
  double within = 0;
  for (std::size_t bucket = 0; bucket < whole; ++bucket) within += delays_[bucket];
  if (whole < delays_.size()) within += delays_[whole] * (end - static_cast<double>(whole));
  return std::clamp(within / delays_total_, kLeastShare, 1.0);
}

void DelayedClicks::restore(const Delays& delays) {
  delays_ = delays;
  delays_total_ = std::accumulate(delays_.begin(), delays_.end(), 0.0);
}

std::optional<WallTime> DelayedClicks::oldest() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.front().shown;
}

}  // namespace marquee::learning
