// Passwords of users that were made by SQL, as they are written down.
#pragma once

#include <string>

#include "marquee/base/result.h"

namespace marquee::engine {

/// Argon2id with a salt of its own. Takes about a millisecond, as every request may have to be checked.
[[nodiscard]] Result<std::string> hash_password(const std::string& password);
/// False also for what is no hash.
[[nodiscard]] bool matches_password(const std::string& hash, const std::string& password);

}  // namespace marquee::engine
