// ClickHouse's compressed blocks of any bytes: no crash, never more than the limit, and what is encoded is decoded to
// the same.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "marquee/engine/compressed_blocks.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using marquee::engine::BlockMethod;
  constexpr std::size_t kLimit = 64 * 1024;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto decoded = marquee::engine::decode_blocks(text, kLimit);
  if (decoded && decoded->size() > kLimit) std::abort();
  if (size > kLimit) return 0;
  for (const BlockMethod method : {BlockMethod::none, BlockMethod::lz4, BlockMethod::zstd}) {
    const auto encoded = marquee::engine::encode_blocks(text, method);
    if (marquee::engine::decode_blocks(encoded.value(), kLimit).value() != text) std::abort();
  }
  return 0;
}
