// RowBinary as the store sends it: any bytes must be read without going beyond them.
#include <cstdint>
#include <cstdlib>

#include "marquee/clickhouse/row_binary.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  marquee::clickhouse::RowBinaryReader reader(bytes);
  std::size_t taken = 0;
  while (!reader.at_end() && !reader.failed()) {
    if (const auto offset = reader.number<std::uint64_t>()) taken += sizeof(*offset);
    if (const auto text = reader.text()) {
      if (!text->empty() && (text->data() < bytes.data() || text->data() + text->size() > bytes.data() + size)) abort();
      taken += text->size() + 1;
    }
  }
  if (taken > size) abort();
  if (!reader.at_end() && reader.number<std::uint8_t>()) abort();
  return 0;
}
