// Base64 (RFC 4648, section 4).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace marquee {

[[nodiscard]] std::string encode_base64(std::string_view bytes);
/// nullopt where a character is none of the alphabet's. Padding may be missing.
[[nodiscard]] std::optional<std::string> decode_base64(std::string_view text);

}  // namespace marquee
