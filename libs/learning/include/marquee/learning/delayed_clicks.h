// What an impression is taught as, when its click may come long after it.
//
// An impression waits for `window` and is then learned, whether or not it was clicked: impressions are learned in the
// order in which they were shown, and no sooner for having been clicked, which would favour ads whose clicks are quick.
// A click within the window is learned as
//
//   clicks = 1 / F(age),       F(age): share of clicks that come within `age` of their impression
//
// (inverse weighting by the chance of being seen: Horvitz, Thompson, 1952), no click as 0. Its expectation is the
// probability of a click at any time, p F / F + (1 - p F) 0 = p, and the learner's gradient is linear in it; so late
// clicks are corrected for without learning any impression twice, also for ads too young to have had late clicks. (The
// other ways: to count a late click on top when it comes, unbiased only after as long as the longest delay; to weigh by
// a model's own guess, Chapelle, "Modeling Delayed Feedback", KDD 2014.) The price is variance: choose a window
// within which most clicks come.
//
// F is the share of clicks, early and late, by a histogram of their delays (four buckets an octave; no shape is
// assumed). In the first `horizon` after a start, late clicks of what was shown since are yet to come and F is too
// high: by no more than the late share.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <unordered_map>

#include "marquee/base/time.h"
#include "marquee/learning/learner.h"

namespace marquee::learning {

struct DelayOptions {
  Millis window = std::chrono::minutes(10);
  Millis horizon = std::chrono::hours(24);  ///< Clicks later than this are none.
  std::size_t max_waiting = 200'000;        ///< Above it the oldest are learned early, at the age that they have; some
                                            ///< 0.8 KB each.
  double memory_clicks = 100'000;           ///< The histogram halves when it has seen twice as many.
};

/// Impressions on their way to the learner. Not thread safe. Deterministic: all times are those it is told.
class DelayedClicks {
 public:
  /// Takes an impression and how many clicks to learn it with.
  using Learn = std::function<void(const Impression&, double clicks)>;

  DelayedClicks(const DelayOptions& options, Learn learn) : options_(options), learn_(std::move(learn)) {}

  /// An impression, known by `id` (of its token). One that is known already is passed over. Time runs on to `at`.
  void show(std::uint64_t id, WallTime at, Impression impression);
  /// A click at `at` on an impression of `shown`. False where it changes nothing: a second click on an impression that
  /// waits, one before its impression or beyond the horizon. A late one teaches the delay alone.
  bool click(std::uint64_t id, WallTime shown, WallTime at);
  /// Learns what has waited for its window at `now`. Time does not run back.
  void advance(WallTime now);

  /// F: in (0, 1]; 1 where no click was seen yet. At least 0.05, so that no click is worth more than 20.
  [[nodiscard]] double share_within(Millis age) const;
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  /// When the oldest that waits was shown: a log read again from there (by a learner saved now) loses nothing.
  [[nodiscard]] std::optional<WallTime> oldest() const;
  /// What F is told from, to be kept beside a saved learner, and put back before the log is read again.
  using Delays = std::array<double, 160>;
  [[nodiscard]] const Delays& delays() const { return delays_; }
  void restore(const Delays& delays);
  /// Impressions learned before their window ended, for want of room.
  [[nodiscard]] std::uint64_t learned_early() const { return learned_early_; }

 private:
  struct Waiting {
    std::uint64_t id;
    WallTime shown;
    bool is_clicked;
    Impression impression;
  };
  void learn_oldest(Millis age);
  void count_delay(Millis delay);

  DelayOptions options_;
  Learn learn_;
  WallTime now_{};
  std::deque<Waiting> waiting_;                             // Oldest first.
  std::unordered_map<std::uint64_t, std::uint64_t> place_;  // Of an id: how many came before it.
  std::uint64_t gone_ = 0;                                  // How many left the front of waiting_.
  std::uint64_t learned_early_ = 0;
  Delays delays_{};
  double delays_total_ = 0;
};

}  // namespace marquee::learning
