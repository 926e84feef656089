// The text forms of configuration values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "marquee/base/config.h"
#include "marquee/base/result.h"

namespace marquee::config {

[[nodiscard]] Result<bool> parse_bool(std::string_view text);
[[nodiscard]] Result<std::uint64_t> parse_count(std::string_view text);
[[nodiscard]] Result<double> parse_real(std::string_view text);
/// "512B", "64KiB", "2GiB", "5MB" (decimal), "1024": bytes.
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);

/// The largest unit that divides exactly; what parse_duration and parse_size read back as the same number.
[[nodiscard]] std::string format_duration(std::uint64_t ms);
[[nodiscard]] std::string format_size(std::uint64_t bytes);

/// `text` as a YAML scalar that reads back as the same text.
[[nodiscard]] std::string yaml_scalar(std::string_view text);

}  // namespace marquee::config
