// CityHash128 as of version 1.0.2 (Pike and Alakuijala, 2011): the checksum of ClickHouse's compressed blocks. Later
// versions of CityHash give other values.
#pragma once

#include <cstdint>
#include <string_view>

namespace marquee::engine {

struct Hash128 {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool operator==(const Hash128&) const = default;
};

/// Not for secrets: collisions can be made.
[[nodiscard]] Hash128 city_hash_128(std::string_view data);

}  // namespace marquee::engine
