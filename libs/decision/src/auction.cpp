#include "auction.h"

#include <algorithm>
#include <cmath>

namespace marquee::decision {
namespace {

/// The least bid whose eCPM is that of a floor, where a click is as likely as when it was compiled.
std::int64_t bid_at(const CampaignRow& campaign, std::int64_t floor_micros) {
  const auto bid = campaign.campaign->bid_micros, ecpm = campaign.ecpm_micros;
  if (campaign.campaign->tier == Tier::house || ecpm == 0) return 0;
  if (campaign.campaign->price == Price::per_mille) return floor_micros;
  return static_cast<std::int64_t>(
      std::ceil(static_cast<double>(floor_micros) * static_cast<double>(bid) / static_cast<double>(ecpm)));
}

}  // namespace

Standing standing_of(const Candidate& drawn, std::span<const Candidate> candidates) {
  float next = 0;
  for (const auto& one : candidates)
    if (one.ad->campaign != drawn.ad->campaign && one.value <= drawn.value) next = std::max(next, one.value);
  return {.value = drawn.value, .enough = next};
}

std::int64_t price_of(const CampaignRow& campaign, const Standing& standing, std::int64_t floor_micros) {
  const auto bid = campaign.campaign->bid_micros;
  if (standing.enough >= standing.value) return bid;
  const auto enough = std::ceil(static_cast<double>(bid) * standing.enough / standing.value);
  return std::min(bid, std::max(bid_at(campaign, floor_micros), static_cast<std::int64_t>(enough)));
}

}  // namespace marquee::decision
