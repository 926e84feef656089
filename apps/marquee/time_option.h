// An option that is a time.
#pragma once

#include <fmt/format.h>

#include <string>

#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "marquee/event/timestamp.h"

namespace marquee::app {

/// Action::reject, with the option's name, where the text is none.
[[nodiscard]] inline Result<WallTime> time_of(const std::string& text, const char* option) {
  const auto time = event::parse_timestamp(text);
  if (!time) return Error::reject(fmt::format("{}: expected a time as 2026-01-31T00:00:00Z", option));
  return WallTime(Millis(*time));
}

}  // namespace marquee::app
