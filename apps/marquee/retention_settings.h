// How long the store is to keep what, as the configuration says.
#pragma once

#include "app.h"
#include "marquee/base/result.h"
#include "marquee/ingest/retention.h"

namespace marquee::app {

/// Action::reject names the key that does not hold: no whole days, less than collector.max_event_age (an event may then
/// come after its day began to go), a cluster.
[[nodiscard]] Result<ingest::Retention> retention_of(const Settings& settings);

}  // namespace marquee::app
