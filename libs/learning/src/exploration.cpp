#include "marquee/learning/exploration.h"

#include <algorithm>
#include <cmath>
#include <limits>

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
  left_.resize(arms.value.size());
  place_.resize(arms.value.size());
  for (std::uint32_t i = 0; i < left_.size(); ++i) left_[i] = place_[i] = i;
}

void SlateDraw::exclude(std::uint32_t arm) {
  const auto at = place_[arm];
  if (at == kGone) return;
  const auto last = left_.back();
  left_[at] = last;
  place_[last] = at;
  place_[arm] = kGone;
  left_.pop_back();
}

double SlateDraw::promise(std::uint32_t arm) const { return arms_.value[arm] * (1 + options_.optimism * spread(arm)); }

// The most promising of what is left, as many as the positions take: the next ones then need not look at all again.
void SlateDraw::make_reserve() {
  // A heap with the least of them in front; ties by index, so that order does not matter.
  const auto better = [](const Share& a, const Share& b) {
    return a.propensity > b.propensity || (a.propensity == b.propensity && a.arm < b.arm);
  };
  reserve_.clear();
  for (const auto arm : left_) {
    const Share candidate{arm, promise(arm)};
    if (reserve_.size() < reserve_size_) {
      reserve_.push_back(candidate);
      std::ranges::push_heap(reserve_, better);
    } else if (better(candidate, reserve_.front())) {
      std::ranges::pop_heap(reserve_, better);
      reserve_.back() = candidate;
      std::ranges::push_heap(reserve_, better);
    }
  }
  std::ranges::sort_heap(reserve_, better);
}

void SlateDraw::make_shortlist() {
  const auto take = [&] {
    shortlist_.clear();
    for (const auto& share : reserve_) {
      if (shortlist_.size() == options_.shortlist) break;
      if (place_[share.arm] != kGone) shortlist_.push_back(share);
    }
  };
  take();
  if (shortlist_.size() < std::min<std::size_t>(options_.shortlist, left_.size())) {
    make_reserve();
    take();
  }
  std::ranges::sort(shortlist_, [&](const Share& a, const Share& b) {
    const float left = arms_.value[a.arm], right = arms_.value[b.arm];
    return left > right || (left == right && a.arm < b.arm);
  });
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

std::optional<Choice> SlateDraw::next() {
  if (left_.empty()) return std::nullopt;
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
  candidates_ = static_cast<std::uint32_t>(left_.size());
  others_propensity_ = uniform / candidates_;
  const double owed = uniform < 1 ? std::max(0.0, (options_.floor - others_propensity_) / (1 - uniform)) : 0;
  raise_to_floor(std::min(owed, 1 / static_cast<double>(shortlist_.size())));
  for (auto& share : shortlist_) share.propensity = others_propensity_ + (1 - uniform) * share.propensity;

  Choice choice;
  choice.was_uniform = unit(random_bits(seed_ ^ kChoices, 2 * position_)) < uniform;
  const double point = unit(random_bits(seed_ ^ kChoices, 2 * position_ + 1));
  if (choice.was_uniform) {
    choice.arm = left_[static_cast<std::size_t>(point * candidates_)];
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
