#include "marquee/event/person.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <cstring>

namespace marquee::event {
namespace {

std::uint64_t keyed_hash(const HashKey& key, std::string_view kind, std::string_view text) {
  unsigned char bytes[256];
  const auto size = std::min(sizeof bytes - kind.size(), text.size());
  std::memcpy(bytes, kind.data(), kind.size());
  std::memcpy(bytes + kind.size(), text.data(), size);
  unsigned char hash[crypto_shorthash_BYTES];
  crypto_shorthash(hash, bytes, kind.size() + size, key.data());
  std::uint64_t value;
  std::memcpy(&value, hash, sizeof value);
  return value == 0 ? 1 : value;  // 0 means "none"
}

}  // namespace

std::uint64_t hash_user(const HashKey& key, std::string_view user_id) { return keyed_hash(key, "u", user_id); }
std::uint64_t hash_session(const HashKey& key, std::string_view session_id) { return keyed_hash(key, "s", session_id); }
std::uint64_t hash_session_of_day(const HashKey& key, std::int64_t day, std::string_view session_id) {
  return keyed_hash(key, fmt::format("d{}:", day), session_id);
}

}  // namespace marquee::event
