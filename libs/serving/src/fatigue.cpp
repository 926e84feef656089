#include "fatigue.h"

#include <algorithm>
#include <cmath>

#include "marquee/decision/names.h"
#include "model_features.h"

namespace marquee::serving {
namespace {

using decision::Field;

constexpr unsigned kAdShift = 4;
constexpr std::uint8_t kCampaignMask = (1U << kAdShift) - 1;

/// The chance whose odds are e^weight times those of `chance`.
float with_weight(float chance, float weight) {
  const float odds = chance / std::max(1 - chance, 1e-7F) * std::exp(weight);
  return odds / (1 + odds);
}

}  // namespace

SeenAds::SeenAds(const decision::Inventory& inventory) : size_(inventory.ads().size()) {
  for (const auto& campaign : inventory.campaigns())
    campaigns_[AdTopics(campaign.campaign->id, {}).campaign] = {campaign.first_ad, campaign.first_ad + campaign.ads};
  for (const auto& ad : inventory.ads()) ads_[AdTopics({}, ad.ad->id).ad] = {ad.row, ad.row + 1};
}

Fatigue::Fatigue(const learning::FeatureSpec& features) {
  learning::RequestFeatures request(features);
  const auto slot = [&](Field field, SeenLevel level) {
    request.clear();
    describe_seen(request, decision::name(field), level);
    request.compile();
    return request.rows().front().base;
  };
  for (SeenLevel level = 1; level < kSeenLevels; ++level) {
    campaign_[level] = slot(Field::seen_campaign, level);
    ad_[level] = slot(Field::seen_ad, level);
  }
}

void Fatigue::apply(const decision::Context& context, const SeenAds& ads, const learning::Model& model,
                    std::span<const std::uint32_t> candidates, std::span<float> attraction, Scratch& scratch) const {
  auto& [levels, marked] = scratch;
  for (const auto& known : context.known) {
    const bool is_of_ad = known.field == Field::seen_ad;
    if (!is_of_ad && known.field != Field::seen_campaign) continue;
    const auto seen = read_seen(known.value);
    if (!seen) continue;
    if (levels.size() < ads.size()) levels.resize(ads.size());
    const auto [begin, end] = is_of_ad ? ads.of_ad(seen->topic) : ads.of_campaign(seen->topic);
    for (auto row = begin; row < end; ++row) {
      if (levels[row] == 0) marked.push_back(row);
      levels[row] |= static_cast<std::uint8_t>(seen->level << (is_of_ad ? kAdShift : 0U));
    }
  }
  if (marked.empty()) return;
  const auto weight = [&](std::uint32_t slot) { return model.weights[slot & model.mask]; };
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const auto level = levels[candidates[i]];
    if (level == 0) continue;
    const unsigned of_campaign = level & kCampaignMask, of_ad = level >> kAdShift;
    attraction[i] = with_weight(
        attraction[i], (of_campaign > 0 ? weight(campaign_[of_campaign]) : 0) + (of_ad > 0 ? weight(ad_[of_ad]) : 0));
  }
  for (const auto row : marked) levels[row] = 0;
  marked.clear();
}

}  // namespace marquee::serving
