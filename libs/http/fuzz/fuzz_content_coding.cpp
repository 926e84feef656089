// Bodies of any bytes under each coding: no crash, never more than the limit, and what decodes is encoded and decoded
// again.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "marquee/http/message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kLimit = 64 * 1024;
  constexpr std::array<std::string_view, 4> kCodings = {"gzip", "deflate", "zstd", "br"};
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto decoded = marquee::http::decode_body(body, kCodings[data[0] % kCodings.size()], kLimit);
  if (decoded && decoded->size() > kLimit) std::abort();
  const auto coding = kCodings[data[0] % 2 * 2];  // gzip or zstd
  const auto encoded = marquee::http::encode_body(body, coding);
  if (!encoded) std::abort();
  if (body.size() <= kLimit && marquee::http::decode_body(*encoded, coding, kLimit).value() != body) std::abort();
  (void)marquee::http::percent_decode(body, true);
  if (marquee::http::percent_decode(marquee::http::percent_encode(body)) != body) std::abort();
  return 0;
}
