#include "model_features.h"

#include <array>
#include <cstddef>
#include <string>

namespace marquee::serving {
namespace {

constexpr std::int64_t kHour = 3'600'000;
constexpr std::size_t kHours = 24;

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
                   "segment*campaign"};
  return options;
}

void describe_place(learning::RequestFeatures& features, std::int64_t time_ms, std::string_view slot) {
  static constexpr std::array<std::string_view, kHours> kNames = {"0",  "1",  "2",  "3",  "4",  "5",  "6",  "7",
                                                                  "8",  "9",  "10", "11", "12", "13", "14", "15",
                                                                  "16", "17", "18", "19", "20", "21", "22", "23"};
  features.add("hour", kNames[static_cast<std::size_t>(time_ms / kHour) % kHours]);
  features.add("slot", slot);
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

}  // namespace marquee::serving
