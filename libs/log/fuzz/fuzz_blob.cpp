// Groups of any bytes, with a checksum made right: no crash, nothing read beyond them, and as many records as counted.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "blob.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)marquee::log::read_blob(bytes);
  if (size == 0) return 0;
  const std::uint32_t count = data[0];
  const auto blob = marquee::log::make_blob({count, 0}, bytes.substr(1));
  const auto records = marquee::log::read_blob(blob);
  if (records && records->size() != count) std::abort();
  return 0;
}
