// What targeting means.
#pragma once

#include <string_view>

#include "marquee/decision/campaign.h"
#include "marquee/decision/request.h"

namespace marquee::decision {

/// Whether it holds. The definition, by which the index is tested; slow where it names zones.
[[nodiscard]] bool holds(const Targeting& targeting, const Context& context, std::string_view slot);

}  // namespace marquee::decision
