// Definitions of segments: JSON as the API takes it and the catalog keeps it, as what libs/analytics counts by.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "answers.h"
#include "marquee/analytics/segments.h"
#include "marquee/catalog/catalog.h"

namespace marquee::api {

/// {"kind":"rule","rule"}, {"kind":"drop_off","funnel"} or {"kind":"list","users"} of that site. Spans that end now
/// (`last`) are those of `now`. Action::reject, "definition: ...", names what is wrong.
[[nodiscard]] Result<analytics::SegmentDefinition> read_segment(const Json& definition, const std::string& site,
                                                                std::chrono::system_clock::time_point now);

/// Whether a rule can be read (of a live segment, serving::LiveRule).
using CheckRule = std::function<Result<void>(std::string_view rule)>;
/// Whether it is {"kind":"live","rule"}, whose users are not written down. Action::reject as above.
[[nodiscard]] Result<bool> is_live(const Json& definition, const CheckRule& check);

/// Of the site, as reports take them.
[[nodiscard]] Result<std::vector<analytics::SegmentVersion>> segments_of(const catalog::Catalog& catalog,
                                                                         const std::string& site);

}  // namespace marquee::api
