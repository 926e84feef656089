// Records of any bytes: no crash, nothing read beyond them, and what decodes encodes to something that decodes to the
// same.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "marquee/event/event.h"
#include "marquee/event/timestamp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)marquee::event::parse_timestamp(bytes);
  const auto event = marquee::event::decode(bytes);
  if (!event) return 0;
  std::string once;
  marquee::event::encode(*event, once);
  const auto back = marquee::event::decode(once);
  if (!back) std::abort();
  std::string twice;
  marquee::event::encode(*back, twice);
  if (once != twice || marquee::event::identity(*event) != marquee::event::identity(*back)) std::abort();
  return 0;
}
