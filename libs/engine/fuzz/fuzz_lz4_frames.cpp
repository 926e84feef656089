// LZ4 frames, Brotli and xz of any bytes: no crash, never more than the limit, and what is encoded is decoded to the
// same.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "content_codings.h"
#include "marquee/engine/request.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kLimit = 64 * 1024;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto decoded = marquee::engine::decode_lz4_frames(text, kLimit); decoded && decoded->size() > kLimit)
    std::abort();
  for (const auto decode : {marquee::engine::decode_brotli, marquee::engine::decode_xz}) {
    if (const auto decoded = decode(text, kLimit); decoded && decoded->size() > kLimit) std::abort();
  }
  if (size <= kLimit &&
      marquee::engine::decode_lz4_frames(marquee::engine::encode_lz4_frame(text), kLimit).value() != text)
    std::abort();
  return 0;
}
