// Targeting by interests: rules say them as people do, "category:law"; profiles know their topics by hash.
#pragma once

#include <string_view>

#include "marquee/decision/campaign.h"

namespace marquee::serving {

/// Before a cluster's name: what a rule calls it among segments.
inline constexpr std::string_view kClusterPrefix = "cluster:";

/// Makes a rule's interests those of a request's context. Once, before an inventory is made of its campaign.
void read_interests(decision::Targeting& targeting);

}  // namespace marquee::serving
