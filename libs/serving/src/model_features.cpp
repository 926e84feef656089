#include "model_features.h"

#include <array>
#include <cstddef>
#include <string>

#include "marquee/decision/names.h"

namespace marquee::serving {
namespace {

constexpr std::int64_t kHour = 3'600'000;
constexpr std::size_t kHours = 24;

bool is_of_campaign_seen(std::string_view name) { return name == decision::name(decision::Field::seen_campaign); }
bool is_of_ad_seen(std::string_view name) { return name == decision::name(decision::Field::seen_ad); }

}  // namespace

learning::FeatureOptions model_feature_options() {
  learning::FeatureOptions options;
  options.terms = {"hour",
                   "device",
                   "page",
                   "advertiser",
                   "college*category",
                   "college*ad",
                   "program*category",
                   "year*category",
                   "city*category",
                   "course_category=category",
                   "page*category",
                   "page*ad",
                   "slot*ad",
                   "hour*category",
                   "device*category",
                   "course_category*category",
                   "course_category*ad",
                   "search_term*category",
                   "search_term*ad",
                   "segment*category",
                   "segment*campaign",
                   "interest*category",
                   "interest*campaign",
                   "seen_campaign",
                   "seen_ad"};
  return options;
}

void describe_known(learning::RequestFeatures& features, std::string_view name, std::string_view value) {
  if (!is_of_campaign_seen(name) && !is_of_ad_seen(name)) features.add(name, value);
}

void describe_known_of(const AdTopics& ad, learning::RequestFeatures& features, std::string_view name,
                       std::string_view value) {
  const bool is_of_campaign = is_of_campaign_seen(name);
  if (!is_of_campaign && !is_of_ad_seen(name)) return features.add(name, value);
  const auto seen = read_seen(value);
  if (seen && seen->topic == (is_of_campaign ? ad.campaign : ad.ad)) describe_seen(features, name, seen->level);
}

void describe_seen(learning::RequestFeatures& features, std::string_view name, SeenLevel level) {
  static constexpr std::array<std::string_view, kSeenLevels> kNames = {"0", "1", "2", "3", "4"};
  features.add(name, kNames[level]);
}

void describe_place(learning::RequestFeatures& features, std::int64_t time_ms, std::string_view slot) {
  static constexpr std::array<std::string_view, kHours> kNames = {"0",  "1",  "2",  "3",  "4",  "5",  "6",  "7",
                                                                  "8",  "9",  "10", "11", "12", "13", "14", "15",
                                                                  "16", "17", "18", "19", "20", "21", "22", "23"};
  features.add("hour", kNames[static_cast<std::size_t>(time_ms / kHour) % kHours]);
  features.add(kPlacementFeature, slot);
}

learning::Ad model_ad(std::string_view site_id, const decision::AdRow& ad) {
  const auto& campaign = *ad.campaign->campaign;
  return {.id = ad.ad->id,
          .site = std::string(site_id),
          .campaign = campaign.id,
          .category = campaign.category,
          .advertiser = campaign.advertiser,
          .attributes = {}};
}

learning::Ad model_ad(const LoggedChoice& served) {
  return {.id = std::string(served.ad_id),
          .site = std::string(served.site_id),
          .campaign = std::string(served.campaign_id),
          .category = std::string(served.category),
          .advertiser = std::string(served.advertiser),
          .attributes = {}};
}

}  // namespace marquee::serving
