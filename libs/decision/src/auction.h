// What an ad pays that stood against others by its bid.
#pragma once

#include <cstdint>
#include <span>

#include "marquee/decision/inventory.h"
#include "marquee/decision/request.h"

namespace marquee::decision {

/// What an ad's bid was worth, and what would have done.
struct Standing {
  double value = 0;
  double enough = 0;
};

/// `drawn`, whose value is in proportion to its bid, would have stood where it stands with the next value below its
/// own. So the best pays what the runner-up forces (second price), and one that exploration drew what the next below it
/// does (generalized second price: Edelman, Ostrovsky, Schwarz, 2007): why it was shown is our affair. Ads of its own
/// campaign have the same bid and do not drive each other's price. Nothing is enough where nobody stands below.
[[nodiscard]] Standing standing_of(const Candidate& drawn, std::span<const Candidate> candidates);

/// Micros: the least bid that would have done, rounded up; not above the campaign's bid, nor below what that had to be
/// for `floor_micros` of eCPM (house ads have no floor).
[[nodiscard]] std::int64_t price_of(const CampaignRow& campaign, const Standing& standing, std::int64_t floor_micros);

}  // namespace marquee::decision
