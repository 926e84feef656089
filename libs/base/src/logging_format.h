// How a log line looks, apart from where it goes.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "marquee/base/logging.h"
#include "marquee/base/time.h"

namespace marquee::logging {

/// One line with its newline. `text` gives the form for people. Bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string format_line(bool text, WallTime time, Level level, std::string_view event,
                                      std::span<const Field> fields);

}  // namespace marquee::logging
