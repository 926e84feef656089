// Reads a log, here or elsewhere, up to a known end.
#pragma once

#include <cstddef>

#include "marquee/log/event_log.h"

namespace marquee::log {

/// As EventLog::read, of a partition that ends beyond `from`. A log that is somewhere else may have nothing at hand at
/// once, which is waited for. Action::retry where nothing comes within `wait`.
[[nodiscard]] Result<Records> await_records(EventLog& log, Partition partition, Offset from, std::size_t max_records,
                                            std::size_t max_bytes, Millis wait = Millis(5'000));

}  // namespace marquee::log
