// Times as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace marquee::event {

/// RFC 3339 date-time ("2026-11-24T10:00:00.123+05:30"; a space for 'T' and a missing zone, meaning UTC, are taken too)
/// as milliseconds since the Unix epoch; nullopt for anything else.
[[nodiscard]] std::optional<std::int64_t> parse_timestamp(std::string_view text);

}  // namespace marquee::event
