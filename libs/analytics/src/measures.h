// What metrics are made of, as SQL over a source.
#pragma once

#include <string>
#include <string_view>

#include "marquee/analytics/model.h"
#include "marquee/base/result.h"

namespace marquee::analytics {

/// Action::reject, "metrics: ...", where there is none of that name.
[[nodiscard]] Result<const Metric*> find_metric(std::string_view name);

/// Whether the rollups of delivery hold what the measure needs.
[[nodiscard]] bool is_measure_in_rollup(std::string_view measure);

/// " AND ..." over the events table: what the rollups of delivery count, the events of the ad types that name a
/// campaign, an ad or a slot.
[[nodiscard]] std::string only_ad_events();

/// An aggregate over the rollup, or over the events that only_ad_events() leaves. `condition` is one more; empty: none.
[[nodiscard]] std::string measure_expression(std::string_view measure, bool is_rollup, std::string_view condition);

}  // namespace marquee::analytics
