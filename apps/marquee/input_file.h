// Files that a command is given.
#pragma once

#include <string>

#include "marquee/base/result.h"

namespace marquee::app {

/// What is in it; of "-" the standard input.
[[nodiscard]] Result<std::string> content_of(const std::string& path);

}  // namespace marquee::app
