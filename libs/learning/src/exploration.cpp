#include "marquee/learning/exploration.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

#include "mix.h"

namespace marquee::learning {
namespace {

constexpr std::uint32_t kGone = std::numeric_limits<std::uint32_t>::max();

// Streams of random numbers of one request: what is drawn for the posterior tells nothing of what is drawn for choices.
constexpr std::uint64_t kChoices = 0x63686F696365;
constexpr std::uint64_t kWorlds = 0x776F726C6473;

// Nearly normal: the sum of four uniform numbers, scaled to variance 1; within 3.5 standard deviations.
double nearly_normal(std::uint64_t bits) {
  constexpr double kScale = 1.7320508075688772;  // 1 / sqrt(4 / 12)
  const auto sum = (bits & 0xFFFF) + ((bits >> 16) & 0xFFFF) + ((bits >> 32) & 0xFFFF) + (bits >> 48);
  return (static_cast<double>(sum) * 0x1.0p-16 + 2 * 0x1.0p-16 - 2) * kScale;
}

// By value and the part of it that may be wrong, for all arms: written so that compilers make it vectors.
void promises_of(const Arms& arms, double optimism, std::span<double> promises) {
  const float* value = arms.value.data();
  const float* spread = arms.spread.data();
  if (arms.spread.empty())
    for (std::size_t i = 0; i < promises.size(); ++i) promises[i] = value[i];
  else
    for (std::size_t i = 0; i < promises.size(); ++i) promises[i] = value[i] * (1 + optimism * double{spread[i]});
}

// A number that at least `count` of the numbers reach, and few others: the count-th greatest of the greatest of
// groups, each of which is another number.
double least_of_the_greatest(std::span<const double> all, std::size_t count, std::vector<double>& greatest) {
  const std::size_t groups = 2 * count;
  if (all.size() < 2 * groups) return -std::numeric_limits<double>::infinity();
  greatest.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(groups));
  double* best = greatest.data();
  for (std::size_t begin = groups; begin < all.size(); begin += groups) {
    const auto some = all.subspan(begin, std::min(groups, all.size() - begin));
    for (std::size_t i = 0; i < some.size(); ++i) best[i] = best[i] < some[i] ? some[i] : best[i];
  }
  const auto at = greatest.begin() + static_cast<std::ptrdiff_t>(count) - 1;
  std::ranges::nth_element(greatest, at, std::greater());
  return *at;
}

}  // namespace

Result<> check(const ExplorationOptions& options) {
  if (!(options.uniform_share >= 0 && options.uniform_share <= 1))
    return Error::reject("exploration: uniform_share must be in [0, 1]");
  if (options.shortlist == 0) return Error::reject("exploration: shortlist must be at least 1");
  if (!(options.floor >= 0 && options.floor * options.shortlist <= 0.5))
    return Error::reject("exploration: floor times shortlist must be at most 0.5");
  if (options.method == Method::thompson && (options.draws == 0 || options.draws > 65536))
    return Error::reject("exploration: draws must be between 1 and 65536");
  if (!(options.gamma_scale >= 0 && options.gamma_exponent >= 0 && options.optimism >= 0))
    return Error::reject("exploration: gamma_scale, gamma_exponent and optimism must not be negative");
  return {};
}

void SlateDraw::begin(const Arms& arms, std::uint64_t seed, double clicks, std::size_t positions) {
  arms_ = arms;
  seed_ = seed;
  position_ = 0;
  reserve_size_ = options_.shortlist + std::max<std::size_t>(positions, 1) - 1;
  reserve_.clear();
  gamma_ = options_.gamma_scale * std::pow(std::max(clicks, 1.0), options_.gamma_exponent);
  is_whole_ = true;
}

bool SlateDraw::is_gone(std::uint32_t arm) const { return !is_whole_ && place_[arm] == kGone; }

void SlateDraw::exclude(std::uint32_t arm) {
  if (std::exchange(is_whole_, false)) {
    left_.resize(arms_.value.size());
    std::iota(left_.begin(), left_.end(), 0U);
    place_ = left_;
  }
  const auto at = place_[arm];
  if (at == kGone) return;
  const auto last = left_.back();
  left_[at] = last;
  place_[last] = at;
  place_[arm] = kGone;
  left_.pop_back();
}

void SlateDraw::list_promises() {
  promises_.resize(left());
  if (is_whole_) return promises_of(arms_, options_.optimism, promises_);
  for (std::size_t i = 0; i < left_.size(); ++i)
    promises_[i] = arms_.value[left_[i]] * (1 + options_.optimism * spread(left_[i]));
}

// The most promising of what is left, as many as the positions take: the next ones then need not look at all again.
void SlateDraw::make_reserve() {
  // Ties by index, so that order does not matter.
  const auto better = [](const Share& a, const Share& b) {
    return a.propensity > b.propensity || (a.propensity == b.propensity && a.arm < b.arm);
  };
  list_promises();
  const std::size_t wanted = std::min(reserve_size_, promises_.size());
  const double least = least_of_the_greatest(promises_, wanted, greatest_);
  // Written down each, and kept by counting on: that few are kept no processor can foretell.
  some_.resize(promises_.size());
  std::size_t count = 0;
  for (std::uint32_t i = 0; i < promises_.size(); ++i) {
    some_[count] = i;
    count += promises_[i] >= least ? 1 : 0;
  }
  reserve_.clear();
  for (const auto i : std::span(some_).first(count)) reserve_.push_back({is_whole_ ? i : left_[i], promises_[i]});
  if (reserve_.size() > wanted) {
    std::ranges::nth_element(reserve_, reserve_.begin() + static_cast<std::ptrdiff_t>(wanted), better);
    reserve_.resize(wanted);
  }
  if (reserve_size_ > options_.shortlist) std::ranges::sort(reserve_, better);  // Else all of it is taken at once.
}

void SlateDraw::make_shortlist() {
  const auto take = [&] {
    shortlist_.clear();
    for (const auto& share : reserve_) {
      if (shortlist_.size() == options_.shortlist) break;
      if (!is_gone(share.arm)) shortlist_.push_back(share);
    }
  };
  take();
  if (shortlist_.size() < std::min<std::size_t>(options_.shortlist, left())) {
    make_reserve();
    take();
  }
  sort_shortlist();
}

/// The most valuable first, ties by index: as whole numbers, which sort faster. Of floats that are not negative the
/// bits are in the order of the values.
void SlateDraw::sort_shortlist() {
  order_.clear();
  for (const auto& share : shortlist_) {
    const auto value = std::bit_cast<std::uint32_t>(arms_.value[share.arm] + 0.0F);  // Not -0.
    order_.push_back(std::uint64_t{~value} << 32 | share.arm);
  }
  std::ranges::sort(order_);
  for (std::size_t i = 0; i < order_.size(); ++i) shortlist_[i].arm = static_cast<std::uint32_t>(order_[i]);
}

void SlateDraw::deal_squarecb() {
  const auto count = static_cast<double>(shortlist_.size());
  const double best = arms_.value[shortlist_.front().arm];
  double rest = 1;
  for (auto& share : std::span(shortlist_).subspan(1)) {
    const double gap = best > 0 ? (best - arms_.value[share.arm]) / best : 0;
    share.propensity = 1 / (count + gamma_ * gap);
    rest -= share.propensity;
  }
  shortlist_.front().propensity = rest;
}

void SlateDraw::deal_thompson() {
  posterior_.clear();
  for (auto& share : shortlist_) {
    const double value = std::max(static_cast<double>(arms_.value[share.arm]), 1e-12);
    posterior_.push_back({std::log(value), arms_.spread_in_context != nullptr ? (*arms_.spread_in_context)(share.arm)
                                                                              : spread(share.arm)});
    share.propensity = 0;
  }
  for (std::uint32_t draw = 0; draw < options_.draws; ++draw) {
    // A world is the same at all positions: an ad's draw hangs on the arm, not on where the shortlist has it.
    const auto world = random_bits(seed_ ^ kWorlds, draw);
    std::size_t best = 0;
    double best_value = -std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < shortlist_.size(); ++i) {
      const auto bits = mix(world + (shortlist_[i].arm + 1) * kGolden);
      const double value = posterior_[i].log_value + posterior_[i].spread * nearly_normal(bits);
      if (value <= best_value) continue;
      best_value = value;
      best = i;
    }
    shortlist_[best].propensity += 1;
  }
  for (auto& share : shortlist_) share.propensity /= options_.draws;
}

// The least change of shares that puts `floor` under each: those below it get it, the others give in proportion.
void SlateDraw::raise_to_floor(double floor) {
  for (;;) {
    double above = 0;
    std::size_t at_floor = 0;
    for (const auto& share : shortlist_) {
      if (share.propensity <= floor)
        ++at_floor;
      else
        above += share.propensity;
    }
    const double scale = (1 - floor * static_cast<double>(at_floor)) / above;
    bool is_done = true;
    for (auto& share : shortlist_) {
      share.propensity = share.propensity <= floor ? floor : share.propensity * scale;
      // Another pass for one that the giving took below.
      if (share.propensity < floor) is_done = false;
    }
    if (is_done) return;
  }
}

bool SlateDraw::share_out() {
  if (left() == 0) return false;
  make_shortlist();
  switch (options_.method) {
    case Method::squarecb:
      deal_squarecb();
      break;
    case Method::thompson:
      deal_thompson();
      break;
    case Method::greedy:
      for (auto& share : shortlist_) share.propensity = &share == &shortlist_.front() ? 1 : 0;
  }
  const double uniform = options_.uniform_share;
  candidates_ = static_cast<std::uint32_t>(left());
  others_propensity_ = uniform / candidates_;
  const double owed = uniform < 1 ? std::max(0.0, (options_.floor - others_propensity_) / (1 - uniform)) : 0;
  raise_to_floor(std::min(owed, 1 / static_cast<double>(shortlist_.size())));
  for (auto& share : shortlist_) share.propensity = others_propensity_ + (1 - uniform) * share.propensity;
  return true;
}

std::optional<Choice> SlateDraw::next() {
  if (!share_out()) return std::nullopt;
  const double uniform = options_.uniform_share;
  Choice choice;
  choice.was_uniform = unit(random_bits(seed_ ^ kChoices, 2 * position_)) < uniform;
  const double point = unit(random_bits(seed_ ^ kChoices, 2 * position_ + 1));
  if (choice.was_uniform) {
    const auto at = static_cast<std::uint32_t>(point * candidates_);
    choice.arm = is_whole_ ? at : left_[at];
  } else {
    double sum = 0;
    const double wanted = point * (1 - uniform);
    choice.arm = shortlist_.back().arm;  // Where rounding leaves the sum below 1.
    for (const auto& share : shortlist_) {
      sum += share.propensity - others_propensity_;
      if (wanted >= sum) continue;
      choice.arm = share.arm;
      break;
    }
  }
  const auto listed = std::ranges::find(shortlist_, choice.arm, &Share::arm);
  choice.propensity = listed == shortlist_.end() ? others_propensity_ : listed->propensity;
  ++position_;
  exclude(choice.arm);
  return choice;
}

}  // namespace marquee::learning
