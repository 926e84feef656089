#include "marquee/decision/inventory.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "bitmap.h"
#include "day_part_rule.h"
#include "marquee/base/zone.h"
#include "targeting_index.h"
#include "text_hash.h"

namespace marquee::decision {

struct TimedPart {
  DayPart part;
  const date::time_zone* zone = nullptr;
};

namespace {

/// Search terms of requests are lower-case words.
void lower_search_terms(Targeting& targeting) {
  if (targeting.kind == Targeting::Kind::is_in && targeting.field == Field::search_term)
    for (auto& value : targeting.values)
      for (auto& c : value) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  for (auto& part : targeting.parts) lower_search_terms(part);
}

/// A zone that it names and that does not exist; nullptr where there is none.
const std::string* unknown_zone(const Targeting& targeting) {
  if (targeting.kind == Targeting::Kind::within && find_zone(targeting.day_part.zone) == nullptr)
    return &targeting.day_part.zone;
  for (const auto& part : targeting.parts)
    if (const auto* zone = unknown_zone(part)) return zone;
  return nullptr;
}

const std::string* unknown_zone(const Campaign& campaign) {
  if (find_zone(campaign.zone) == nullptr) return &campaign.zone;
  for (const auto& part : campaign.schedule)
    if (find_zone(part.zone) == nullptr) return &part.zone;
  return unknown_zone(campaign.targeting);
}

bool fits(const Slot& slot, const Creative& creative) {
  if (!slot.kinds.empty() && std::ranges::find(slot.kinds, creative.kind) == slot.kinds.end()) return false;
  const auto is_any = [](const auto& box) { return box.width == 0 && box.height == 0; };
  return is_any(slot) || is_any(creative) || (slot.width == creative.width && slot.height == creative.height);
}

bool has_floor(const CampaignRow& row, std::int64_t floor_micros) {
  return row.campaign->tier == Tier::house || row.ecpm_micros >= floor_micros;
}

bool has_limits(const Campaign& campaign) {
  const auto has_any = [](const Budget& one) { return one.impressions > 0 || one.clicks > 0 || one.spend_micros > 0; };
  return has_any(campaign.daily) || has_any(campaign.total);
}

bool is_blocked(const Campaign& campaign, const Request& request) {
  const auto has = [](const auto& all, std::string_view one) { return std::ranges::find(all, one) != all.end(); };
  return has(request.blocked_categories, campaign.category) || has(request.blocked_advertisers, campaign.advertiser);
}

bool is_running(const Campaign& campaign, std::int64_t time_ms) {
  return (!campaign.from_ms || *campaign.from_ms <= time_ms) && (!campaign.to_ms || time_ms < *campaign.to_ms);
}

std::string_view target_id(CapScope scope, const Campaign& campaign, const Ad& ad) {
  switch (scope) {
    case CapScope::campaign:
      return campaign.id;
    case CapScope::ad:
      return ad.id;
    case CapScope::advertiser:
      return campaign.advertiser;
  }
  return {};
}

}  // namespace

std::uint64_t cap_target(CapScope scope, std::string_view id) {
  return XXH3_64bits_withSeed(id.data(), id.size(), static_cast<std::uint64_t>(scope) + 1);
}

bool is_in_schedule(const CampaignRow& row, std::int64_t time_ms) {
  const auto& schedule = row.campaign->schedule;
  if (schedule.empty()) return true;
  for (std::size_t i = 0; i < schedule.size(); ++i)
    if (is_within(schedule[i], *row.schedule_zones[i], time_ms)) return true;
  return false;
}

/// What every campaign is asked for in every request, close together.
struct CampaignTraits {
  std::int64_t from_ms, to_ms;
  std::int64_t ecpm_micros;  ///< No floor is above it where none counts.
  bool has_schedule;
};

namespace {

CampaignTraits traits_of(const CampaignRow& row) {
  constexpr auto kNever = std::numeric_limits<std::int64_t>::min(), kEver = std::numeric_limits<std::int64_t>::max();
  return {.from_ms = row.campaign->from_ms.value_or(kNever),
          .to_ms = row.campaign->to_ms.value_or(kEver),
          .ecpm_micros = row.campaign->tier == Tier::house ? kEver : row.ecpm_micros,
          .has_schedule = !row.schedule.empty()};
}

}  // namespace

struct Inventory::Impl {
  InventoryOptions options;
  std::uint64_t fingerprint = 0;
  std::vector<Campaign> all;
  std::vector<Slot> slots;
  std::vector<CampaignRow> campaigns;
  std::vector<CampaignTraits> campaign_traits;
  std::vector<AdRow> ads;
  std::vector<AdTraits> traits;
  Bitmap plain, capped;
  std::vector<TimedPart> parts;
  std::optional<TargetingIndex> targeting;
  bool looks_at_slots = false;  ///< Of the targeting.
  std::vector<Bitmap> fitting;  ///< By slot: ads of its kinds and sizes at its floor.
  TextMap<std::size_t> slot_numbers;
  TextMap<const Ad*> ads_by_id;
  TextMap<std::uint32_t> rows_by_id;
  std::vector<std::string> problems;

  void add_campaign(const Campaign& campaign);
  void add_caps();
  void add_companions();
  void add_slots();
  void add_traits();
  std::uint32_t part_number(const DayPart& part);
};

void Inventory::Impl::add_campaign(const Campaign& campaign) {
  if (const auto* zone = unknown_zone(campaign)) {
    problems.push_back(fmt::format("campaign {}: there is no time zone \"{}\"; it is not served", campaign.id, *zone));
    return;
  }
  CampaignRow row{.campaign = &campaign,
                  .row = static_cast<std::uint32_t>(campaigns.size()),
                  .first_ad = static_cast<std::uint32_t>(ads.size()),
                  .zone = find_zone(campaign.zone)};
  for (const auto& part : campaign.schedule) {
    row.schedule.push_back(part_number(part));
    row.schedule_zones.push_back(parts.back().zone);
  }
  row.ecpm_micros = campaign.price == Price::per_mille
                        ? campaign.bid_micros
                        : std::llround(static_cast<double>(campaign.bid_micros) * 1'000 * options.prior_ctr);
  for (const auto& ad : campaign.ads) {
    if (ad.is_paused) continue;
    rows_by_id.emplace(ad.id, static_cast<std::uint32_t>(ads.size()));
    ads.push_back({.ad = &ad, .row = static_cast<std::uint32_t>(ads.size())});
    ++row.ads;
  }
  if (row.ads > 0) campaigns.push_back(std::move(row));
}

std::uint32_t Inventory::Impl::part_number(const DayPart& part) {
  parts.push_back({part, find_zone(part.zone)});
  return static_cast<std::uint32_t>(parts.size() - 1);
}

/// An advertiser's cap in one campaign counts what another campaign of it shows.
void Inventory::Impl::add_caps() {
  std::map<std::uint64_t, std::int64_t> longest;
  for (const auto& campaign : campaigns)
    for (std::uint32_t i = 0; i < campaign.ads; ++i) {
      auto& ad = ads[campaign.first_ad + i];
      for (const auto& cap : campaign.campaign->caps) {
        const auto target = cap_target(cap.scope, target_id(cap.scope, *campaign.campaign, *ad.ad));
        ad.caps.push_back({target, cap.count, cap.window_ms, cap.scope});
        auto& window = longest[target];
        window = std::max(window, cap.window_ms);
      }
    }
  for (auto& ad : ads)
    for (const auto scope : {CapScope::campaign, CapScope::ad, CapScope::advertiser}) {
      const auto found = longest.find(cap_target(scope, target_id(scope, *ad.campaign->campaign, *ad.ad)));
      if (found != longest.end()) ad.counts_as.push_back({found->first, found->second});
    }
}

void Inventory::Impl::add_companions() {
  for (auto& campaign : campaigns) {
    std::vector<std::uint32_t> rows;
    bool lacks_some = false;
    for (const auto& id : campaign.campaign->companions) {
      const auto found = rows_by_id.find(id);
      if (found != rows_by_id.end() && ads[found->second].campaign == &campaign)
        rows.push_back(found->second);
      else
        lacks_some = true;
    }
    for (const auto row : rows) {
      ads[row].lacks_companions = lacks_some;
      for (const auto other : rows)
        if (row != other) ads[row].companions.push_back(other);
    }
  }
}

void Inventory::Impl::add_slots() {
  for (const auto& slot : slots) {
    slot_numbers.emplace(slot.id, fitting.size());
    auto& bitmap = fitting.emplace_back(ads.size());
    for (const auto& ad : ads)
      if (fits(slot, ad.ad->creative) && has_floor(*ad.campaign, slot.floor_micros)) bitmap.set(ad.row);
  }
}

void Inventory::Impl::add_traits() {
  plain.reset(ads.size());
  capped.reset(ads.size());
  for (const auto& ad : ads) {
    const auto& campaign = *ad.campaign->campaign;
    std::uint64_t cap_bits = 0;
    for (const auto& cap : ad.caps) cap_bits |= cap_bit(cap.target);
    traits.push_back({.cap_bits = cap_bits,
                      .campaign = ad.campaign->row,
                      .tier = campaign.tier,
                      .has_share = campaign.share_of_voice > 0,
                      .has_company = campaign.is_roadblock || !ad.companions.empty() || ad.lacks_companions,
                      .has_limits = has_limits(campaign),
                      .has_excludes = !campaign.excludes.empty()});
    const auto& its = traits.back();
    if (!its.has_share && !its.has_company && !its.has_limits && !its.has_excludes) plain.set(ad.row);
    if (cap_bits != 0) capped.set(ad.row);
  }
}

std::shared_ptr<const Inventory> Inventory::compile(std::vector<Campaign> campaigns, std::vector<Slot> slots,
                                                    InventoryOptions options) {
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  impl->all = std::move(campaigns);
  impl->slots = std::move(slots);
  std::vector<const Campaign*> active;
  for (auto& campaign : impl->all) {
    lower_search_terms(campaign.targeting);
    for (const auto& ad : campaign.ads) impl->ads_by_id.emplace(ad.id, &ad);
    if (campaign.status == Status::active) active.push_back(&campaign);
  }
  std::ranges::sort(active, {}, [](const Campaign* one) { return std::pair(one->tier, one); });
  for (const auto* campaign : active) impl->add_campaign(*campaign);
  std::vector<const Targeting*> targets;
  for (auto& campaign : impl->campaigns) {
    targets.push_back(&campaign.campaign->targeting);
    for (std::uint32_t i = 0; i < campaign.ads; ++i) impl->ads[campaign.first_ad + i].campaign = &campaign;
  }
  impl->targeting.emplace(targets);
  impl->looks_at_slots = impl->targeting->looks_at_slots();
  for (const auto& campaign : impl->campaigns) impl->campaign_traits.push_back(traits_of(campaign));
  impl->add_caps();
  impl->add_companions();
  impl->add_slots();
  impl->add_traits();
  for (const auto& row : impl->ads)
    impl->fingerprint = XXH3_64bits_withSeed(row.ad->id.data(), row.ad->id.size(), impl->fingerprint);
  return std::shared_ptr<const Inventory>(new Inventory(std::move(impl)));
}

Inventory::Inventory(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Inventory::~Inventory() = default;
const std::vector<CampaignRow>& Inventory::campaigns() const { return impl_->campaigns; }
const std::vector<AdRow>& Inventory::ads() const { return impl_->ads; }
const std::vector<AdTraits>& Inventory::traits() const { return impl_->traits; }
const Bitmap& Inventory::plain() const { return impl_->plain; }
const Bitmap& Inventory::capped() const { return impl_->capped; }
std::size_t Inventory::end_of(Tier tier) const {
  const auto end = std::ranges::upper_bound(impl_->traits, tier, {}, &AdTraits::tier);
  return static_cast<std::size_t>(end - impl_->traits.begin());
}
const std::vector<std::string>& Inventory::problems() const { return impl_->problems; }
std::int64_t Inventory::version() const { return impl_->options.version; }
std::uint64_t Inventory::fingerprint() const { return impl_->fingerprint; }

const Ad* Inventory::find_ad(std::string_view id) const {
  const auto found = impl_->ads_by_id.find(id);
  return found == impl_->ads_by_id.end() ? nullptr : found->second;
}
const AdRow* Inventory::find_row(std::string_view id) const {
  const auto found = impl_->rows_by_id.find(id);
  return found == impl_->rows_by_id.end() ? nullptr : &impl_->ads[found->second];
}
const Slot* Inventory::find_slot(std::string_view id) const {
  const auto found = impl_->slot_numbers.find(id);
  return found == impl_->slot_numbers.end() ? nullptr : &impl_->slots[found->second];
}

struct Inventory::Eligible::Impl {
  Bitmap rows, scratch, targeted;
  std::vector<Bitmap> placements;
  std::vector<bool> has_slot;
  std::vector<std::uint32_t> campaigns;
  std::vector<bool> is_on;  ///< By day part: whether it is its time.
};

Inventory::Eligible::Eligible() : impl_(std::make_unique<Impl>()) {}
Inventory::Eligible::~Eligible() = default;
Inventory::Eligible::Eligible(Eligible&&) noexcept = default;
std::size_t Inventory::Eligible::next(std::size_t placement, std::size_t from) const {
  return impl_->placements[placement].next(from);
}
bool Inventory::Eligible::has(std::size_t placement, std::size_t ad) const {
  return impl_->placements[placement].has(ad);
}
const Bitmap& Inventory::Eligible::rows(std::size_t placement) const { return impl_->placements[placement]; }
bool Inventory::Eligible::has_slot(std::size_t placement) const { return impl_->has_slot[placement]; }

void Inventory::find_eligible(const Request& request, Eligible& eligible) const {
  auto& work = *eligible.impl_;
  impl_->targeting->match(request.context, work.rows);
  const std::int64_t now = request.context.time_ms;
  work.is_on.assign(impl_->parts.size(), false);
  for (std::size_t i = 0; i < impl_->parts.size(); ++i)
    work.is_on[i] = is_within(impl_->parts[i].part, *impl_->parts[i].zone, now);
  const bool blocks = !request.blocked_categories.empty() || !request.blocked_advertisers.empty();
  const auto may = [&](std::uint32_t number) {
    const auto& traits = impl_->campaign_traits[number];
    if (now < traits.from_ms || now >= traits.to_ms || traits.ecpm_micros < request.floor_micros) return false;
    if (!traits.has_schedule && !blocks) return true;
    const auto& row = impl_->campaigns[number];
    return (row.schedule.empty() ||
            std::ranges::any_of(row.schedule, [&](std::uint32_t part) { return work.is_on[part]; })) &&
           !(blocks && is_blocked(*row.campaign, request));
  };
  // Not resized down: the bitmaps' memory serves the next request.
  if (work.placements.size() < request.placements.size()) work.placements.resize(request.placements.size());
  work.has_slot.assign(request.placements.size(), false);
  bool has_targeted = false;
  for (std::size_t i = 0; i < request.placements.size(); ++i) {
    auto& ads = work.placements[i];
    const auto slot = impl_->slot_numbers.find(request.placements[i].slot);
    work.has_slot[i] = slot != impl_->slot_numbers.end();
    if (!work.has_slot[i]) {
      ads.reset(impl_->ads.size());
      continue;
    }
    if (!std::exchange(has_targeted, true) || impl_->looks_at_slots) {
      work.targeted.reset(impl_->ads.size());
      impl_->targeting->campaigns_for(work.rows, request.context, request.placements[i].slot, work.scratch,
                                      work.campaigns);
      for (const auto number : work.campaigns) {
        const auto& row = impl_->campaigns[number];
        if (may(number)) work.targeted.set(row.first_ad, row.first_ad + row.ads);
      }
    }
    ads = work.targeted;
    ads &= impl_->fitting[slot->second];
  }
}

Because Inventory::why_not(const Request& request, const Placement& placement, const AdRow& ad) const {
  const auto* slot = find_slot(placement.slot);
  if (slot == nullptr) return Because::unknown_slot;
  const auto& campaign = *ad.campaign->campaign;
  const std::int64_t now = request.context.time_ms;
  if (!is_running(campaign, now)) return Because::dates;
  if (!is_in_schedule(*ad.campaign, now)) return Because::schedule;
  if (!holds(campaign.targeting, request.context, placement.slot)) return Because::targeting;
  if (!fits(*slot, ad.ad->creative)) return Because::creative;
  if (!has_floor(*ad.campaign, std::max(slot->floor_micros, request.floor_micros))) return Because::floor;
  return is_blocked(campaign, request) ? Because::blocked : Because::chosen;
}

}  // namespace marquee::decision
