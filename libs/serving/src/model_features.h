// What the click model is told of a request and of an ad. The same when a decision is made and when it is learned from
// its log, or the model would be asked about something else than it has seen.
#pragma once

#include <cstdint>
#include <string_view>

#include "decision_record.h"
#include "marquee/decision/inventory.h"
#include "marquee/learning/features.h"
#include "profile_context.h"

namespace marquee::serving {

[[nodiscard]] learning::FeatureOptions model_feature_options();

/// Adds one thing that is known of the request, under its name in the decisions' log. What was seen of a campaign or an
/// ad counts for that one alone: for which ads is the caller's to know, so it is passed over here.
void describe_known(learning::RequestFeatures& features, std::string_view name, std::string_view value);
/// The same of a decision for which this ad was chosen: with how much of it was seen, too.
void describe_known_of(const AdTopics& ad, learning::RequestFeatures& features, std::string_view name,
                       std::string_view value);
/// How much was seen, as the model knows it: by Field::seen_campaign or Field::seen_ad.
void describe_seen(learning::RequestFeatures& features, std::string_view name, SeenLevel level);

/// The only one in which the placements of a request differ.
inline constexpr std::string_view kPlacementFeature = "slot";

/// Beside what is known of the request, each under its name in the decisions' log.
void describe_place(learning::RequestFeatures& features, std::int64_t time_ms, std::string_view slot);

[[nodiscard]] learning::Ad model_ad(std::string_view site_id, const decision::AdRow& ad);
[[nodiscard]] learning::Ad model_ad(const LoggedChoice& served);

}  // namespace marquee::serving
