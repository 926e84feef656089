// A group of records of one partition as one value of the store: written together, read together, checked together.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"

namespace marquee::log {

/// What stands before the records of a group.
struct BlobHead {
  std::uint32_t count = 0;
  std::int64_t time_ms = 0;  ///< When the group was committed (wall clock).
};

inline constexpr std::size_t kBlobHeadBytes = 1 + 4 + 8 + 8;  ///< version, count, time, checksum

/// Makes the value: head, then `records` (varint length and bytes of each).
[[nodiscard]] std::string make_blob(const BlobHead& head, std::string_view records);

/// Reads the head alone, without checking the records. Action::give_up where it is none.
[[nodiscard]] Result<BlobHead> read_blob_head(std::string_view blob);

/// Checks the whole group and gives its records, borrowed from `blob`.
[[nodiscard]] Result<std::vector<std::string_view>> read_blob(std::string_view blob);

/// Appends a varint (LEB128).
void append_varint(std::string& out, std::uint64_t value);

}  // namespace marquee::log
