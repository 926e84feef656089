#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "marquee/base/config.h"

// What loads must also load again from its own print.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string name = "x";
  std::uint64_t port = 1, wait = 1, limit = 1;
  marquee::config::Schema schema;
  schema.add("name", &name, "A name.");
  schema.add("http.port", &port, 0, 65535, "A port.");
  schema.add_duration("http.wait", &wait, 0, 1'000'000, "A wait.");
  schema.add_size("limit", &limit, 0, UINT64_MAX, "A limit.");
  if (schema.load_yaml({reinterpret_cast<const char*>(data), size}, "fuzz") && !schema.load_yaml(schema.print(), "printed"))
    std::abort();
  return 0;
}
