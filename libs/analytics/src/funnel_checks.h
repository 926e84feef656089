// What exact funnels and estimated ones share.
#pragma once

#include "funnel_query.h"

namespace marquee::analytics {

/// Action::reject names the parameter that makes no sense.
[[nodiscard]] Result<void> check_funnel(const FunnelRequest& request);
/// The period of the same length before.
[[nodiscard]] FunnelPeriod previous_period(const FunnelRequest& request);

}  // namespace marquee::analytics
