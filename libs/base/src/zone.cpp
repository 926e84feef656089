#include "marquee/base/zone.h"

#include <date/tz.h>

#include <algorithm>
#include <stdexcept>

namespace marquee {

const date::time_zone* find_zone(const std::string& name) {
  // What is no name must not reach the library, which makes a file's path of it.
  const auto is_good = [](char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '/' || c == '_' || c == '-' ||
           c == '+';
  };
  if (name.empty() || name.size() > 64 || !std::ranges::all_of(name, is_good)) return nullptr;
  try {
    return date::locate_zone(name);
  } catch (const std::runtime_error&) {
    return nullptr;
  }
}

}  // namespace marquee
