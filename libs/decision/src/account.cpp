#include "marquee/decision/account.h"

#include <algorithm>
#include <cmath>

#include "day_part_rule.h"

namespace marquee::decision {
namespace {

constexpr std::int64_t kTurn = 10'000;      ///< Of each of several deciders to take what does not divide.
constexpr std::int64_t kStep = 5 * 60'000;  ///< In which a schedule's time within a day is measured.

Nanos in_nanos(std::int64_t micros) { return micros * 1'000; }

/// Of a budget at part x of its time.
double curve(Pacing pacing, double x) { return pacing == Pacing::front_loaded ? 1 - (1 - x) * (1 - x) : x; }

/// Whether that much is more than what should be delivered by now.
template <class Amount>
bool is_beyond(Amount committed, Amount limit, double part) {
  return limit > 0 && static_cast<double>(committed) >= static_cast<double>(limit) * part;
}

}  // namespace

Nanos cost_of_impression(const Campaign& campaign, std::int64_t price_micros) {
  return campaign.price == Price::per_mille ? price_micros : 0;
}
Nanos cost_of_click(const Campaign& campaign, std::int64_t price_micros) {
  return campaign.price == Price::per_click ? in_nanos(price_micros) : 0;
}

Account::Account(Millis reserve_for, const SharedFellows* fellows)
    : bucket_ms_(std::max<std::int64_t>(1, reserve_for.count() / (kBuckets - 2))), fellows_(fellows) {}

void Account::roll(const date::time_zone* zone, std::int64_t now_ms) {
  if (zone == nullptr || day_.has(now_ms)) return;
  std::swap(day_, other_);
  if (day_.has(now_ms)) return;
  const auto day = day_of(*zone, now_ms);
  day_ = {.delivered = {}, .begin_ms = day.begin_ms, .end_ms = day.end_ms};
}

Delivered* Account::day_at(const date::time_zone* zone, std::int64_t time_ms) {
  if (other_.has(time_ms)) return &other_.delivered;
  if (time_ms >= day_.end_ms) roll(zone, time_ms);
  return day_.has(time_ms) ? &day_.delivered : nullptr;
}

std::uint64_t Account::assumed(std::int64_t now_ms, std::uint32_t impressions) const {
  if (fellows_ == nullptr) return 0;
  const auto [count, index] = fellows_->load(std::memory_order_relaxed);
  if (count < 2) return 0;
  const auto turn = (index + static_cast<std::uint64_t>(now_ms) / kTurn) % count;
  return (count - 1) * (unseen_ + impressions - 1) + turn;
}

/// A bucket is let go once each of it is older than a reservation lives.
void Account::expire(std::int64_t now_ms) {
  const auto bucket = bucket_of(now_ms);
  if (bucket <= last_bucket_) return;
  const auto steps = std::min<std::int64_t>(bucket - last_bucket_, kBuckets);
  for (std::int64_t i = 0; i < steps; ++i) {
    auto& oldest = reserved_by_bucket_[static_cast<std::size_t>(bucket - i) % kBuckets];
    reserved_ -= oldest;
    oldest = 0;
  }
  last_bucket_ = bucket;
}

bool Account::has_budget(const CampaignRow& row, std::int64_t now_ms, std::uint32_t impressions) const {
  const auto& campaign = *row.campaign;
  const Nanos cost = cost_of_impression(campaign, campaign.bid_micros);
  const auto coming = reserved_ + impressions + assumed(now_ms, impressions);
  const auto leaves = [&](const Budget& budget, const Delivered& delivered) {
    return (budget.impressions == 0 || delivered.impressions + coming <= budget.impressions) &&
           (budget.clicks == 0 || delivered.clicks < budget.clicks) &&
           (budget.spend_micros == 0 ||
            (delivered.spend < in_nanos(budget.spend_micros) &&
             delivered.spend + static_cast<Nanos>(coming) * cost <= in_nanos(budget.spend_micros)));
  };
  return leaves(campaign.daily, day_.delivered) && leaves(campaign.total, whole_);
}

double Account::part_of_day(const CampaignRow& row, std::int64_t now_ms) {
  const auto& campaign = *row.campaign;
  const auto begin = std::max(day_.begin_ms, campaign.from_ms.value_or(day_.begin_ms));
  const auto end = std::min(day_.end_ms, campaign.to_ms.value_or(day_.end_ms));
  if (end <= begin) return 1;
  if (campaign.schedule.empty()) return static_cast<double>(now_ms - begin) / static_cast<double>(end - begin);
  auto& known = day_curve_;
  if (known.campaign != &campaign || known.version != campaign.version || known.begin_ms != begin ||
      known.end_ms != end) {
    known = {.campaign = &campaign, .version = campaign.version, .begin_ms = begin, .end_ms = end, .passed_ms = {0}};
    for (auto time = begin; time < end; time += kStep)
      known.passed_ms.push_back(known.passed_ms.back() + (is_in_schedule(row, time) ? kStep : 0));
  }
  const auto all = known.passed_ms.back();
  if (all == 0 || now_ms <= begin) return all == 0 ? 1 : 0;
  const auto step = std::min(static_cast<std::size_t>((now_ms - begin) / kStep), known.passed_ms.size() - 1);
  const bool is_on = step + 1 < known.passed_ms.size() && known.passed_ms[step + 1] > known.passed_ms[step];
  const auto passed = known.passed_ms[step] + (is_on ? (now_ms - begin) % kStep : 0);
  return static_cast<double>(passed) / static_cast<double>(all);
}

bool Account::is_ahead(const CampaignRow& row, std::int64_t now_ms) {
  const auto& campaign = *row.campaign;
  if (campaign.pacing == Pacing::none) return false;
  const std::uint64_t coming = reserved_ + assumed(now_ms, 1);
  const Nanos cost = static_cast<Nanos>(coming) * cost_of_impression(campaign, campaign.bid_micros);
  const auto is_over = [&](const Budget& budget, const Delivered& delivered, double x) {
    const double part = curve(campaign.pacing, std::clamp(x, 0.0, 1.0));
    return is_beyond(delivered.impressions + coming, budget.impressions, part) ||
           is_beyond(delivered.clicks, budget.clicks, part) ||
           is_beyond(delivered.spend + cost, in_nanos(budget.spend_micros), part);
  };
  const auto has_any = [](const Budget& one) { return one.impressions > 0 || one.clicks > 0 || one.spend_micros > 0; };
  if (has_any(campaign.daily) && is_over(campaign.daily, day_.delivered, part_of_day(row, now_ms))) return true;
  if (!campaign.from_ms || !campaign.to_ms || !has_any(campaign.total)) return false;
  return is_over(campaign.total, whole_,
                 static_cast<double>(now_ms - *campaign.from_ms) /
                     static_cast<double>(std::max<std::int64_t>(1, *campaign.to_ms - *campaign.from_ms)));
}

Because Account::gate(const CampaignRow& row, std::int64_t now_ms, std::uint32_t impressions) {
  const std::lock_guard lock(mutex_);
  roll(row.zone, now_ms);
  expire(now_ms);
  if (!has_budget(row, now_ms, impressions)) return Because::budget;
  return is_ahead(row, now_ms) ? Because::pacing : Because::chosen;
}

bool Account::reserve(const CampaignRow& row, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  roll(row.zone, now_ms);
  expire(now_ms);
  if (!has_budget(row, now_ms, 1)) return false;
  // A clock that was set back must not reserve into a bucket that has been let go.
  ++reserved_by_bucket_[static_cast<std::size_t>(std::max(bucket_of(now_ms), last_bucket_)) % kBuckets];
  ++reserved_;
  if (fellows_ != nullptr) ++unseen_;
  return true;
}

void Account::see_own() {
  const std::lock_guard lock(mutex_);
  unseen_ -= std::min<std::uint64_t>(unseen_, 1);
}

void Account::take_other(std::int64_t reserved_ms, std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  expire(now_ms);
  const auto bucket = std::min(bucket_of(reserved_ms), last_bucket_);  // Another's clock may be ahead of this one's.
  if (bucket <= last_bucket_ - static_cast<std::int64_t>(kBuckets)) return;
  ++reserved_by_bucket_[static_cast<std::size_t>(bucket) % kBuckets];
  ++reserved_;
}

void Account::release(std::int64_t reserved_ms) {
  const std::lock_guard lock(mutex_);
  const auto bucket = bucket_of(reserved_ms);
  if (bucket <= last_bucket_ - static_cast<std::int64_t>(kBuckets)) return;
  auto& count = reserved_by_bucket_[static_cast<std::size_t>(bucket) % kBuckets];
  if (count == 0) return;  // It has expired.
  --count;
  --reserved_;
}

void Account::count_impression(const date::time_zone* zone, std::int64_t reserved_ms, std::int64_t time_ms,
                               Nanos cost) {
  release(reserved_ms);
  const std::lock_guard lock(mutex_);
  for (auto* delivered : {&whole_, day_at(zone, time_ms)}) {
    if (delivered == nullptr) continue;
    ++delivered->impressions;
    delivered->spend += cost;
  }
}

void Account::count_click(const date::time_zone* zone, std::int64_t time_ms, Nanos cost) {
  const std::lock_guard lock(mutex_);
  for (auto* delivered : {&whole_, day_at(zone, time_ms)}) {
    if (delivered == nullptr) continue;
    ++delivered->clicks;
    delivered->spend += cost;
  }
}

Nanos Account::left_for(const CampaignRow& row, std::int64_t now_ms, Nanos cost) {
  const std::lock_guard lock(mutex_);
  roll(row.zone, now_ms);
  const auto left = [&](const Budget& budget, const Delivered& delivered) {
    return budget.spend_micros == 0 ? cost : std::max<Nanos>(0, in_nanos(budget.spend_micros) - delivered.spend);
  };
  return std::min({cost, left(row.campaign->daily, day_.delivered), left(row.campaign->total, whole_)});
}

Account::State Account::state() {
  const std::lock_guard lock(mutex_);
  return {.day = day_.delivered, .whole = whole_, .day_begin_ms = day_.begin_ms, .day_end_ms = day_.end_ms};
}

void Account::restore(const State& state) {
  const std::lock_guard lock(mutex_);
  whole_ = state.whole;
  day_ = {.delivered = state.day, .begin_ms = state.day_begin_ms, .end_ms = state.day_end_ms};
}

std::uint64_t Account::reserved(std::int64_t now_ms) {
  const std::lock_guard lock(mutex_);
  expire(now_ms);
  return reserved_;
}

}  // namespace marquee::decision
