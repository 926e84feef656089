// MemoryLog: an EventLog that forgets with the process; for tests and benchmarks of what reads a log.
#pragma once

#include <memory>

#include "marquee/log/event_log.h"

namespace marquee::log {

/// Keeps every record; "durable" means held. Progress behaves as LocalLog's does.
[[nodiscard]] std::unique_ptr<EventLog> open_memory_log(Partition partitions);

}  // namespace marquee::log
