// Campaigns with anything that a definition can say, for properties.
#pragma once

#include <random>

#include "marquee/decision/campaign.h"

namespace marquee::decision {

[[nodiscard]] Targeting random_targeting(std::mt19937_64& random, int most_deep = 3);
[[nodiscard]] Campaign random_campaign(std::mt19937_64& random);
[[nodiscard]] Slot random_slot(std::mt19937_64& random);

}  // namespace marquee::decision
