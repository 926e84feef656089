// A user of a site, as everything but the sender of events knows them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace marquee::privacy {

struct Person {
  std::string site_id;
  std::uint64_t user_key = 0;  ///< Keyed hash of the sender's id of the user (event::hash_user); never 0.
};

/// Hashes a sender's id of a user as events have it (event::hash_user).
using HashUser = std::function<std::uint64_t(std::string_view user_id)>;

/// Whether a record of the events' log that was received by `until_ms` (milliseconds since the Unix epoch) is of the
/// person.
[[nodiscard]] bool is_event_of(std::string_view record, const Person& person, std::int64_t until_ms);

/// Whether a dead letter is of the person. Of one that is no event: whether it has the key in any form in which it is
/// written anywhere (as a number of eight bytes in either order, as an event's record has it, in hexadecimal or decimal
/// digits), or a word of which the key is the hash.
[[nodiscard]] bool is_letter_of(std::string_view bytes, const Person& person, const HashUser& hash_user);

}  // namespace marquee::privacy
