// Persons as the log knows them: by keyed hashes of the ids that senders have for them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace marquee::event {

using HashKey = std::array<std::uint8_t, 16>;

/// SipHash-2-4, never 0. An event's user_key and session_id are these.
[[nodiscard]] std::uint64_t hash_user(const HashKey& key, std::string_view user_id);
[[nodiscard]] std::uint64_t hash_session(const HashKey& key, std::string_view session_id);
/// The same session has another on each day (in days since 1970).
[[nodiscard]] std::uint64_t hash_session_of_day(const HashKey& key, std::int64_t day, std::string_view session_id);

}  // namespace marquee::event
