// Files that are there whole or not at all, and that tell when they are damaged.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "marquee/base/result.h"

namespace marquee::serving {

/// Puts `magic`, `content` and a checksum of both in place of what is at `path`: temporary file, fsync, rename.
[[nodiscard]] Result<void> write_whole_file(const std::string& path, std::string_view magic, std::string_view content);

/// The content; nullopt where there is no file. Action::give_up where it is damaged, or begins with something else.
[[nodiscard]] Result<std::optional<std::string>> read_whole_file(const std::string& path, std::string_view magic);

}  // namespace marquee::serving
