// Campaigns and slots as people write them: JSON, whose members docs/campaigns.md tells with examples. What can be read
// is what can be served. Thread safe; nothing here waits.
//
// What is wrong is Action::reject, "<path>: why" with where it stands: "targeting.any[1].in[0]: expected text",
// "ads[2].creative.landing_url: missing". That is: members that there are not, values of another type or beyond their
// limits, zones that this machine does not know, members and ads that stand twice, and documents that are too large or
// too deep.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "marquee/base/result.h"
#include "marquee/decision/campaign.h"

namespace marquee::decision {

/// `version` is not of the definition, and stays 0.
[[nodiscard]] Result<Campaign> read_campaign(std::string_view json);
/// As read_campaign takes it, with what was left out: writing what is read again gives the same text.
[[nodiscard]] std::string write_campaign(const Campaign& campaign);

[[nodiscard]] Result<Slot> read_slot(std::string_view json);
[[nodiscard]] std::string write_slot(const Slot& slot);

/// Of a rule that stands alone; its parts of days are of `zone` where they name none.
[[nodiscard]] Result<Targeting> read_targeting(std::string_view json, const std::string& zone = "UTC");
[[nodiscard]] std::string write_targeting(const Targeting& targeting);

/// Milliseconds of "90s", "30m", "24h", "7d": from a second to 366 days; nullopt for anything else.
[[nodiscard]] std::optional<std::int64_t> read_span(std::string_view text);

}  // namespace marquee::decision
