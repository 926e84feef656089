#include "marquee/engine/compressed_blocks.h"

#include <fmt/format.h>
#include <lz4.h>
#include <zstd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "city_hash.h"

namespace marquee::engine {
namespace {

constexpr std::size_t kChecksum = 16;
constexpr std::size_t kHeader = 9;  // Method and sizes; what the checksum is over, with the data.
constexpr std::size_t kPiece = std::size_t{1} << 20;
constexpr std::uint32_t kLargest = std::uint32_t{1} << 30;  // ClickHouse's own bound of a block.

std::unexpected<Failure> broken_compression(std::string_view why) {
  return std::unexpected(failure(kCannotDecompress, "CANNOT_DECOMPRESS", fmt::format("the compressed data {}", why)));
}

template <class Number>
void put(std::string& out, std::size_t at, Number number) {
  std::memcpy(out.data() + at, &number, sizeof(number));
}

std::uint32_t size_at(std::string_view data, std::size_t at) {
  std::uint32_t size = 0;
  std::memcpy(&size, data.data() + at, sizeof(size));
  return size;
}

/// Compresses into `to`; 0 where it fails.
std::size_t compress(std::string_view piece, BlockMethod method, char* to, std::size_t room) {
  if (method == BlockMethod::lz4) {
    const int size = LZ4_compress_default(piece.data(), to, static_cast<int>(piece.size()), static_cast<int>(room));
    return size > 0 ? static_cast<std::size_t>(size) : 0;
  }
  if (method == BlockMethod::zstd) {
    const std::size_t size = ZSTD_compress(to, room, piece.data(), piece.size(), 1);
    return ZSTD_isError(size) != 0 ? 0 : size;
  }
  std::memcpy(to, piece.data(), piece.size());
  return piece.size();
}

std::size_t bound(std::size_t size, BlockMethod method) {
  if (method == BlockMethod::lz4) return static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(size)));
  return method == BlockMethod::zstd ? ZSTD_compressBound(size) : size;
}

bool decompress(std::string_view data, BlockMethod method, char* to, std::size_t size) {
  if (method == BlockMethod::lz4) {
    return LZ4_decompress_safe(data.data(), to, static_cast<int>(data.size()), static_cast<int>(size)) ==
           static_cast<int>(size);
  }
  if (method == BlockMethod::zstd) return ZSTD_decompress(to, size, data.data(), data.size()) == size;
  if (data.size() != size) return false;
  std::memcpy(to, data.data(), size);
  return true;
}

}  // namespace

Answer<std::string> encode_blocks(std::string_view data, BlockMethod method) {
  std::string out;
  while (!data.empty()) {
    const std::string_view piece = data.substr(0, kPiece);
    data.remove_prefix(piece.size());
    const std::size_t begin = out.size();
    const std::size_t room = bound(piece.size(), method);
    out.resize(begin + kChecksum + kHeader + room);
    const std::size_t size = compress(piece, method, out.data() + begin + kChecksum + kHeader, room);
    if (size == 0) return std::unexpected(failure(kUnknown, "CANNOT_COMPRESS", "the answer cannot be compressed"));
    out.resize(begin + kChecksum + kHeader + size);
    out[begin + kChecksum] = static_cast<char>(method);
    put(out, begin + kChecksum + 1, static_cast<std::uint32_t>(kHeader + size));
    put(out, begin + kChecksum + 5, static_cast<std::uint32_t>(piece.size()));
    const Hash128 hash = city_hash_128(std::string_view(out).substr(begin + kChecksum));
    put(out, begin, hash.low);
    put(out, begin + 8, hash.high);
  }
  return out;
}

Answer<std::string> decode_blocks(std::string_view blocks, std::size_t max_bytes) {
  std::string out;
  while (!blocks.empty()) {
    if (blocks.size() < kChecksum + kHeader) return broken_compression("ends in a header");
    const std::string_view body = blocks.substr(kChecksum);
    const std::uint32_t packed = size_at(body, 1);
    const std::uint32_t size = size_at(body, 5);
    if (packed < kHeader || packed > body.size() || packed > kLargest) return broken_compression("ends in a block");
    if (size > kLargest || size > max_bytes - out.size())
      return broken_compression(fmt::format("holds more than {} bytes", max_bytes));
    Hash128 told;
    std::memcpy(&told.low, blocks.data(), 8);
    std::memcpy(&told.high, blocks.data() + 8, 8);
    if (told != city_hash_128(body.substr(0, packed))) {
      return std::unexpected(failure(kChecksumDoesNotMatch, "CHECKSUM_DOESNT_MATCH",
                                     "the checksum of the compressed data is not its own"));
    }
    const auto method = static_cast<BlockMethod>(static_cast<unsigned char>(body.front()));
    if (method != BlockMethod::none && method != BlockMethod::lz4 && method != BlockMethod::zstd) {
      return std::unexpected(failure(kUnknownCompressionMethod, "UNKNOWN_COMPRESSION_METHOD",
                                     "blocks may be compressed with LZ4, ZSTD or not at all"));
    }
    // LZ4 grows by at most 255; what claims more is refused before it takes memory.
    if (method == BlockMethod::lz4 && size / 255 > packed) return broken_compression("is broken");
    const std::size_t begin = out.size();
    out.resize(begin + size);
    if (!decompress(body.substr(kHeader, packed - kHeader), method, out.data() + begin, size))
      return broken_compression("is broken");
    blocks.remove_prefix(kChecksum + packed);
  }
  return out;
}

}  // namespace marquee::engine
