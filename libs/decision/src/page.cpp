#include "page.h"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "assignment.h"
#include "bitmap.h"

namespace marquee::decision {
namespace {

constexpr std::uint32_t kMostDraws = 8;       ///< When others reserve what was drawn at the same moment.
constexpr double kLeastChance = 1e-9;         ///< Of what shares of voice leave; below it is rounding.
constexpr std::size_t kMostSpare = 20;        ///< A page's placements,
constexpr std::size_t kMostKept = 16 * 1024;  ///< and candidates of each, whose memory a thread keeps.

bool is_named(const std::vector<std::string>& names, const Campaign& campaign) {
  return std::ranges::any_of(names, [&](const std::string& one) {
    return !one.empty() && (one == campaign.category || one == campaign.advertiser);
  });
}

bool brings_others(const AdRow& ad) { return ad.campaign->campaign->is_roadblock || !ad.companions.empty(); }

}  // namespace

void Page::begin(Decider& decider, const Decider::View& view, const Request& request) {
  decider_ = &decider;
  view_ = &view;
  request_ = &request;
  view.inventory->find_eligible(request, eligible_);
  known_.assign(view.inventory->campaigns().size(), {});
  chosen_.clear();
  on_page_.reset(view.inventory->ads().size());
  page_excludes_ = false;
  is_filled_.assign(request.placements.size(), false);
  read_stamps();
}

void Page::read_stamps() {
  stamps_.clear();
  if (request_->user_key != 0) decider_->caps().read(request_->user_key, request_->context.time_ms, stamps_);
  stamp_bits_ = 0;
  for (const auto& stamp : stamps_) stamp_bits_ |= cap_bit(stamp.target);
}

void Page::fill(Decider& decider, const Decider::View& view, const Request& request, Decision& decision) {
  begin(decider, view, request);
  ranker_ = decision.ranker ? decision.ranker.get() : &decider.ranker_;
  for (std::size_t placement = 0; placement < request.placements.size(); ++placement)
    if (!is_filled_[placement]) choose(placement, decision);
}

void Page::take_back(std::vector<Candidate> memory) {
  if (memory.capacity() == 0 || memory.capacity() > kMostKept || spare_.size() >= kMostSpare) return;
  memory.clear();
  spare_.push_back(std::move(memory));
}

std::vector<Candidate> Page::take_spare() {
  if (spare_.empty()) return {};
  auto memory = std::move(spare_.back());
  spare_.pop_back();
  return memory;
}

void Page::choose(std::size_t placement, Decision& decision) {
  auto& choice = decision.choices[placement];
  choice.because = eligible_.has_slot(placement) ? Because::no_candidate : Because::unknown_slot;
  refused_.clear();
  for (std::uint32_t attempt = 0; attempt < kMostDraws; ++attempt) {
    gather(placement);
    if (candidates_.empty()) break;
    share_out(placement);
    const auto drawn = draw(placement, attempt, decision.id);
    const auto bundle = bundle_of(placement, *candidates_[drawn].ad);
    if (!bundle || !reserve(*bundle)) {
      refused_.push_back(candidates_[drawn].ad);
      continue;
    }
    const auto chosen = candidates_[drawn];
    choice.candidates = std::exchange(candidates_, take_spare());
    if (request_->wants_reasons) explain(placement, choice);
    choice.propensity = chosen.propensity;
    put(placement, *bundle, chosen, decision);
    return;
  }
  if (request_->wants_reasons) explain(placement, choice);
}

void Page::gather(std::size_t placement) {
  const auto& inventory = *view_->inventory;
  const std::size_t ads = inventory.ads().size();
  const auto& eligible = eligible_.rows(placement);
  candidates_.clear();
  groups_.clear();
  double left = 1;
  for (std::size_t row = eligible.next(0); row < ads && left > kLeastChance;) {
    const std::size_t first_group = groups_.size();
    const std::size_t end = inventory.end_of(inventory.traits()[row].tier);
    const double shares = gather_tier(placement, row, end);
    row = eligible.next(end);
    const double scale = left / std::max(1.0, shares);  // More than all of it is promised: in proportion.
    for (std::size_t i = first_group; i < groups_.size(); ++i)
      groups_[i].chance = groups_[i].campaign->share_of_voice * scale;
    left -= shares * scale;
    if (others_.empty() || left <= kLeastChance) continue;
    groups_.push_back({.begin = candidates_.size(), .end = candidates_.size() + others_.size(), .chance = left});
    if (candidates_.empty())
      candidates_.swap(others_);
    else
      candidates_.insert(candidates_.end(), others_.begin(), others_.end());
    left = 0;
  }
  if (left <= kLeastChance) return;
  for (auto& group : groups_) group.chance /= 1 - left;
}

double Page::gather_tier(std::size_t placement, std::size_t begin, std::size_t end) {
  const auto& inventory = *view_->inventory;
  const AdRow* ads = inventory.ads().data();
  const auto& eligible = eligible_.rows(placement);
  // Most ads ask nothing, and are taken a word of the bitmaps at a time: to look at each takes longer than all else.
  const bool asks_all = page_excludes_ || !refused_.empty();
  const std::uint64_t stamped = stamp_bits_ != 0 ? ~std::uint64_t{0} : 0;
  const std::size_t first_group = groups_.size();
  others_.clear();
  others_.reserve(eligible.count(begin, end));
  double shares = 0;
  for (std::size_t i = begin / 64; i * 64 < end; ++i) {
    auto rows = eligible.word(i) & ~on_page_.word(i) & Bitmap::word_of(i, begin, end);
    const auto asking = asks_all ? rows : rows & (~inventory.plain().word(i) | (inventory.capped().word(i) & stamped));
    for (; rows != 0; rows &= rows - 1) {
      const std::size_t row = i * 64 + static_cast<std::size_t>(std::countr_zero(rows));
      if ((rows & -rows & asking) != 0) {
        if (verdict(placement, row) != Because::chosen) continue;
        if (inventory.traits()[row].has_share) {
          const Campaign* campaign = ads[row].campaign->campaign;
          if (groups_.size() == first_group || groups_.back().campaign != campaign) {
            groups_.push_back({.campaign = campaign, .begin = candidates_.size()});
            shares += campaign->share_of_voice;
          }
          candidates_.push_back({.ad = ads + row, .row = static_cast<std::uint32_t>(row)});
          groups_.back().end = candidates_.size();
          continue;
        }
      }
      // Made in its place: to put it together and move it there takes four times as long.
      others_.emplace_back(ads + row, static_cast<std::uint32_t>(row));
    }
  }
  return shares;
}

void Page::share_out(std::size_t placement) {
  for (const auto& group : groups_) {
    const std::span some(candidates_.begin() + static_cast<std::ptrdiff_t>(group.begin), group.end - group.begin);
    ranker_->rank(*request_, request_->placements[placement], *view_->inventory, some);
    if (group.chance == 1) continue;
    for (auto& one : some) one.propensity *= static_cast<float>(group.chance);
  }
}

std::size_t Page::draw(std::size_t placement, std::uint32_t attempt, const DecisionId& id) const {
  const std::uint64_t seed[] = {id.high, id.low, placement, attempt};
  constexpr double kScale = 1.0 / (std::uint64_t{1} << 53);
  double at = static_cast<double>(XXH3_64bits(seed, sizeof seed) >> 11) * kScale;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    at -= candidates_[i].propensity;
    if (at < 0) return i;
  }
  return candidates_.size() - 1;  // What rounding leaves.
}

Because Page::gate_of(std::uint32_t campaign) {
  auto& known = known_[campaign].gate;
  if (known == kUnknown) {
    const auto& row = view_->inventory->campaigns()[campaign];
    known = static_cast<std::int16_t>(view_->accounts[campaign]->gate(row, request_->context.time_ms));
  }
  return static_cast<Because>(known);
}

Because Page::page_of(std::uint32_t campaign) {
  auto& known = known_[campaign].page;
  if (known == kUnknown) {
    const auto& row = view_->inventory->campaigns()[campaign];
    const auto competes = [&](const AdRow* there) {
      const auto& other = *there->campaign->campaign;
      return there->campaign != &row &&
             (is_named(other.excludes, *row.campaign) || is_named(row.campaign->excludes, other));
    };
    const auto is_blocked_by_page = [&](std::string_view there) {
      return std::ranges::find(row.campaign->excludes, there) != row.campaign->excludes.end();
    };
    const bool is_excluded = std::ranges::any_of(chosen_, competes) ||
                             std::ranges::any_of(request_->blocked_advertisers, is_blocked_by_page);
    known = static_cast<std::int16_t>(is_excluded ? Because::competition : Because::chosen);
  }
  return static_cast<Because>(known);
}

Because Page::verdict(std::size_t placement, std::size_t ad) {
  const auto& traits = view_->inventory->traits()[ad];
  // What most campaigns do not ask is not asked of them: to look at a campaign takes longer than all else here.
  if (traits.has_limits)
    if (const auto gate = gate_of(traits.campaign); gate != Because::chosen) return gate;
  if (traits.has_excludes || page_excludes_)
    if (const auto page = page_of(traits.campaign); page != Because::chosen) return page;
  const AdRow& row = view_->inventory->ads()[ad];
  if (std::ranges::find(chosen_, &row) != chosen_.end()) return Because::repeat;
  if (std::ranges::find(refused_, &row) != refused_.end()) return Because::budget;
  // One alone fits where the user has seen nothing of it yet: most caps, of a thousand ads, need not be looked at.
  if ((traits.cap_bits & stamp_bits_) != 0 && !CapBook::fits(row, stamps_, request_->context.time_ms))
    return Because::cap;
  if (!traits.has_company) return Because::chosen;
  return !row.lacks_companions && bundle_of(placement, row) ? Because::chosen : Because::page_not_filled;
}

bool Page::may_bring(std::size_t placement, const AdRow& ad, std::uint32_t size) const {
  return !is_filled_[placement] && eligible_.has(placement, ad.row) &&
         std::ranges::find(chosen_, &ad) == chosen_.end() &&
         (request_->user_key == 0 || CapBook::fits(ad, stamps_, request_->context.time_ms, size));
}

std::optional<Page::Bundle> Page::bundle_of(std::size_t placement, const AdRow& ad) {
  Bundle bundle = {{placement, &ad}};
  if (!brings_others(ad)) return bundle;
  const auto& ads = view_->inventory->ads();
  const std::size_t first = placement + 1, places = request_->placements.size() - first;
  const auto& campaign = *ad.campaign;
  std::optional<std::vector<std::size_t>> where;
  const auto count =
      static_cast<std::uint32_t>(campaign.campaign->is_roadblock ? places + 1 : ad.companions.size() + 1);
  if (!may_bring(placement, ad, count)) return std::nullopt;
  if (campaign.campaign->is_roadblock) {
    if (placement != 0) return std::nullopt;
    where = assign(places, campaign.ads, [&](std::size_t place, std::size_t i) {
      const auto& other = ads[campaign.first_ad + i];
      return &other != &ad && may_bring(first + place, other, count);
    });
    for (std::size_t i = 0; where && i < places; ++i)
      bundle.emplace_back(first + i, &ads[campaign.first_ad + (*where)[i]]);
  } else {
    where = assign(ad.companions.size(), places, [&](std::size_t i, std::size_t place) {
      return may_bring(first + place, ads[ad.companions[i]], count);
    });
    for (std::size_t i = 0; where && i < ad.companions.size(); ++i)
      bundle.emplace_back(first + (*where)[i], &ads[ad.companions[i]]);
  }
  if (!where) return std::nullopt;
  const bool has_budget =
      count == 1 || !view_->inventory->traits()[ad.row].has_limits ||
      view_->accounts[campaign.row]->gate(campaign, request_->context.time_ms, count) == Because::chosen;
  return has_budget ? std::optional(std::move(bundle)) : std::nullopt;
}

bool Page::reserve(const Bundle& bundle) {
  const std::int64_t now = request_->context.time_ms;
  for (std::size_t i = 0; i < bundle.size(); ++i) {
    const auto& ad = *bundle[i].second;
    auto& account = *view_->accounts[ad.campaign->row];
    bool is_taken = account.reserve(*ad.campaign, now);
    if (is_taken && request_->user_key != 0 && !decider_->caps().reserve(request_->user_key, ad, now)) {
      account.release(now);
      is_taken = false;
    }
    if (is_taken) continue;
    while (i-- > 0) {
      view_->accounts[bundle[i].second->campaign->row]->release(now);
      if (request_->user_key != 0) decider_->caps().release(request_->user_key, *bundle[i].second, now);
    }
    known_[ad.campaign->row].gate = kUnknown;
    return false;
  }
  return true;
}

std::int64_t Page::price_at(std::size_t placement, const CampaignRow& campaign, const Standing& standing) const {
  const auto* slot = view_->inventory->find_slot(request_->placements[placement].slot);
  const std::int64_t floor = slot != nullptr ? slot->floor_micros : 0;
  return price_of(campaign, standing, std::max(floor, request_->floor_micros));
}

void Page::put(std::size_t placement, const Bundle& bundle, const Candidate& drawn, Decision& decision) {
  const bool is_second_price = ranker_->auction() == Auction::second_price && drawn.value > 0;
  const auto standing =
      is_second_price ? std::optional(standing_of(drawn, decision.choices[placement].candidates)) : std::nullopt;
  for (std::size_t i = 0; i < bundle.size(); ++i) {
    const auto& [at, ad] = bundle[i];
    auto& choice = decision.choices[at];
    choice.ad = ad;
    choice.because = Because::chosen;
    choice.price_micros = standing ? price_at(at, *ad->campaign, *standing) : ad->campaign->campaign->bid_micros;
    is_filled_[at] = true;
    chosen_.push_back(ad);
    on_page_.set(ad->row);
    page_excludes_ = page_excludes_ || view_->inventory->traits()[ad->row].has_excludes;
    known_[ad->campaign->row].gate = kUnknown;
    if (i == 0) continue;
    choice.is_bound = true;
    choice.propensity = 1;
    choice.candidates = {{.ad = ad, .row = ad->row, .score = 1, .value = 0, .propensity = 1}};
  }
  for (auto& known : known_) known.page = kUnknown;
  read_stamps();
}

void Page::explain(std::size_t placement, Choice& choice) {
  for (const auto& ad : view_->inventory->ads()) {
    if (std::ranges::find(choice.candidates, &ad, &Candidate::ad) != choice.candidates.end()) continue;
    auto because = view_->inventory->why_not(*request_, request_->placements[placement], ad);
    if (because == Because::chosen) because = verdict(placement, ad.row);
    choice.excluded.emplace_back(&ad, because == Because::chosen ? Because::lower_tier : because);
  }
}

}  // namespace marquee::decision
