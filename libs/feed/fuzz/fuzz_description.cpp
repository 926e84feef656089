// A feeds file of any bytes: no crash, and what is taken prints as something that reads back as the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "marquee/feed/description.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace feed = marquee::feed;
  auto feeds = feed::parse_feeds({reinterpret_cast<const char*>(data), size}, "fuzz");
  if (!feeds) return 0;
  for (auto& one : *feeds) one.registry_password.clear();
  if (feeds->empty()) return 0;
  const auto again = feed::parse_feeds(feed::print_feeds(*feeds), "printed");
  if (!again || *again != *feeds) std::abort();
  return 0;
}
