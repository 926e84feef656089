// Words of SQL and of requests, and lists of them.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace marquee::engine {

/// ASCII alone, as ClickHouse's own names are.
[[nodiscard]] inline char small(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

[[nodiscard]] inline std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), small);
  return out;
}

template <class List>
[[nodiscard]] bool has(const List& list, std::string_view name) {
  return std::ranges::find(list, name) != list.end();
}

}  // namespace marquee::engine
