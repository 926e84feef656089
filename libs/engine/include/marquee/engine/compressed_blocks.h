// ClickHouse's own framing of compressed data, of compress=1 and decompress=1: blocks of a checksum (16 bytes), a
// method (1 byte), the size with this header (4), the size before compression (4), and the data.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "marquee/engine/failure.h"

namespace marquee::engine {

enum class BlockMethod : unsigned char { none = 0x02, lz4 = 0x82, zstd = 0x90 };

/// `data` as blocks of at most 1 MiB; none where it is empty.
[[nodiscard]] Answer<std::string> encode_blocks(std::string_view data, BlockMethod method);

/// Decodes blocks that follow each other, each by its own method. CHECKSUM_DOESNT_MATCH, UNKNOWN_COMPRESSION_METHOD,
/// CANNOT_DECOMPRESS; output beyond `max_bytes` is refused before it is made.
[[nodiscard]] Answer<std::string> decode_blocks(std::string_view blocks, std::size_t max_bytes);

}  // namespace marquee::engine
