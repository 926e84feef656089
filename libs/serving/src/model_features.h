// What the click model is told of a request and of an ad. The same when a decision is made and when it is learned from
// its log, or the model would be asked about something else than it has seen.
#pragma once

#include <cstdint>
#include <string_view>

#include "marquee/decision/inventory.h"
#include "marquee/learning/features.h"

namespace marquee::serving {

[[nodiscard]] learning::FeatureOptions model_feature_options();

/// Beside what is known of the request, each under its name in the decisions' log.
void describe_place(learning::RequestFeatures& features, std::int64_t time_ms, std::string_view slot);

[[nodiscard]] learning::Ad model_ad(std::string_view site_id, const decision::AdRow& ad);

}  // namespace marquee::serving
