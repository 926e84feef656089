// What a campaign has delivered, against its budgets and its pace.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <vector>

#include "marquee/base/time.h"
#include "marquee/decision/fellows.h"
#include "marquee/decision/inventory.h"

namespace marquee::decision {

/// Money in billionths of the currency's unit: an impression of a bid per thousand is a whole number of them.
using Nanos = std::int64_t;

/// What an impression, or a click, of the campaign costs at a price of a thousand impressions or a click.
[[nodiscard]] Nanos cost_of_impression(const Campaign& campaign, std::int64_t price_micros);
[[nodiscard]] Nanos cost_of_click(const Campaign& campaign, std::int64_t price_micros);

struct Delivered {
  std::uint64_t impressions = 0, clicks = 0;
  Nanos spend = 0;
};

/// Each ad that a decision serves is reserved as an impression to come, until that is counted or `reserve_for` has
/// passed, after which its token counts no more. So impressions, and what they cost, never exceed a budget in one
/// process: counted and reserved, at its bid, together stay within it. Clicks are not reserved (few impressions bring
/// one): those of impressions that were already out when the last of the budget went are counted beyond a budget of
/// clicks, and of their cost only what is left is charged.
///
/// Pacing lets a campaign take part while counted and reserved are not ahead of what should be delivered by now: of a
/// day's budget, by the part of the campaign's time in that day that has passed; of the whole, by that of its time from
/// begin to end (where both are given). Even: in proportion; front-loaded: 1 - (1 - x)^2. What a lull leaves is made up
/// as soon as there is traffic. It follows from the counts and the clock alone, so it needs no memory of its own.
///
/// Of several deciders each hears of what the others reserve through a log, a moment later. Meanwhile it takes it that
/// every other one has as much on its way as it has itself (what it reserved and the log has not told it yet), so what
/// is left of a budget, and of what is due by its pace, is divided among them as it stands. What does not divide goes
/// to them in turn. Beyond a budget come at most the parts of those whose view of the log was older than another's:
/// (n - 1) / n of what was left in the oldest of these views.
///
/// A clock that is set to another day and back finds the counts of both.
///
/// Thread safe.
class Account {
 public:
  /// `fellows`, which must outlive it, where others serve the same campaign.
  explicit Account(Millis reserve_for, const SharedFellows* fellows = nullptr);

  /// Because::budget, Because::pacing, or Because::chosen where `impressions` more may be served.
  [[nodiscard]] Because gate(const CampaignRow& row, std::int64_t now_ms, std::uint32_t impressions = 1);
  /// Takes one, unless the budget is gone. Pacing has been asked by gate(): one ahead of it does no harm.
  [[nodiscard]] bool reserve(const CampaignRow& row, std::int64_t now_ms);
  void release(std::int64_t reserved_ms);
  /// The log has told of one that this decider took.
  void see_own();
  /// The log has told of one that another took, or this one before it began anew: it is, whatever budgets say.
  void take_other(std::int64_t reserved_ms, std::int64_t now_ms);

  /// `reserved_ms` is when it was reserved. `zone` null: the day is not known, and only the whole is counted.
  void count_impression(const date::time_zone* zone, std::int64_t reserved_ms, std::int64_t time_ms, Nanos cost);
  void count_click(const date::time_zone* zone, std::int64_t time_ms, Nanos cost);
  /// What of `cost` the budgets leave.
  [[nodiscard]] Nanos left_for(const CampaignRow& row, std::int64_t now_ms, Nanos cost);

  struct State {
    Delivered day, whole;
    std::int64_t day_begin_ms = 0, day_end_ms = 0;
  };
  [[nodiscard]] State state();
  void restore(const State& state);
  /// Impressions that are reserved.
  [[nodiscard]] std::uint64_t reserved(std::int64_t now_ms);

 private:
  static constexpr std::size_t kBuckets = 64;
  struct Day {
    Delivered delivered;
    std::int64_t begin_ms = 0, end_ms = 0;
    [[nodiscard]] bool has(std::int64_t time_ms) const { return time_ms >= begin_ms && time_ms < end_ms; }
  };
  void roll(const date::time_zone* zone, std::int64_t now_ms);
  /// Of the day that the time is in; null where it is neither of the two that are known.
  [[nodiscard]] Delivered* day_at(const date::time_zone* zone, std::int64_t time_ms);
  /// What the others may have on their way, and what this one leaves to those whose turn is before its own.
  [[nodiscard]] std::uint64_t assumed(std::int64_t now_ms, std::uint32_t impressions) const;
  void expire(std::int64_t now_ms);
  [[nodiscard]] bool has_budget(const CampaignRow& row, std::int64_t now_ms, std::uint32_t impressions) const;
  [[nodiscard]] bool is_ahead(const CampaignRow& row, std::int64_t now_ms);
  [[nodiscard]] double part_of_day(const CampaignRow& row, std::int64_t now_ms);
  [[nodiscard]] std::int64_t bucket_of(std::int64_t time_ms) const { return time_ms / bucket_ms_; }

  const std::int64_t bucket_ms_;
  const SharedFellows* const fellows_;
  std::mutex mutex_;
  Delivered whole_;
  Day day_;    ///< Of the last request,
  Day other_;  ///< and the one that was looked at before it.
  std::array<std::uint32_t, kBuckets> reserved_by_bucket_{};
  std::uint64_t reserved_ = 0;
  std::uint64_t unseen_ = 0;  ///< Of these, taken here and not yet told by the log.
  std::int64_t last_bucket_ = 0;
  /// How much of the campaign's time in a day has passed at each of its steps; of a campaign with a schedule.
  struct DayCurve {
    const Campaign* campaign = nullptr;
    std::int64_t version = 0, begin_ms = 0, end_ms = 0;
    std::vector<std::int64_t> passed_ms;
  };
  DayCurve day_curve_;
};

}  // namespace marquee::decision
