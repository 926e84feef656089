// Appending to a string without allocating.
#pragma once

#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace marquee::simulate {

inline void append_number(std::string& out, std::int64_t number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

/// `,"name":123`; `member` is `,"name":`.
inline void append_member(std::string& out, std::string_view member, std::int64_t number) {
  out.append(member);
  append_number(out, number);
}

/// 16 hexadecimal digits.
inline void append_hex(std::string& out, std::uint64_t number) {
  char digits[16];
  for (int i = 15; i >= 0; --i, number >>= 4) digits[i] = "0123456789abcdef"[number & 15];
  out.append(digits, sizeof digits);
}

}  // namespace marquee::simulate
