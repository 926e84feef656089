// Files that are there whole or not at all.
#pragma once

#include <string>
#include <string_view>

#include "marquee/base/result.h"

namespace marquee::serving {

/// Puts `bytes` in place of what is at `path`: temporary file, fsync, rename.
[[nodiscard]] Result<void> write_whole_file(const std::string& path, std::string_view bytes);

}  // namespace marquee::serving
