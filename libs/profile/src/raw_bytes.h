// Numbers and records as the bytes that they are in memory: what only this machine's kind reads again.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

namespace marquee::profile {

template <class T>
void append(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// False, and nothing taken, where `in` is too short.
template <class T>
[[nodiscard]] bool take(std::string_view& in, T& value) {
  if (in.size() < sizeof value) return false;
  std::memcpy(&value, in.data(), sizeof value);
  in.remove_prefix(sizeof value);
  return true;
}

}  // namespace marquee::profile
