// The log as a collector uses it: Kafka, behind a spill on this machine's disk where the configuration has one.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app.h"
#include "marquee/base/metrics.h"
#include "marquee/log/event_log.h"

namespace marquee::app {

/// As open_event_log. With a spill it opens without brokers too, once it has known them; Action::reject where events
/// wait in a spill that the configuration has no longer.
[[nodiscard]] Result<std::unique_ptr<log::EventLog>> open_collector_log(
    const Settings& settings, std::shared_ptr<metrics::Registry> metrics,
    std::function<void(const std::string&)> on_fatal = nullptr);

}  // namespace marquee::app
