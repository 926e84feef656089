// Native blocks of any bytes: no crash, and every byte of blocks that can be read is there once more, in order.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "native_blocks.h"
#include "native_type.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static_cast<void>(marquee::engine::parse_native_type(text));
  const std::vector<std::string> types(4, "DateTime('Europe/London')");
  const auto framed = marquee::engine::native_for_protocol(text, 54460, [&]() -> const auto& { return types; });
  if (framed && framed->size() < size) std::abort();
  return 0;
}
