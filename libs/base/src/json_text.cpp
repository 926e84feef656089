#include "marquee/base/json_text.h"

#include <algorithm>

namespace marquee {

void append_json_string(std::string& out, std::string_view text) {
  const auto is_escaped = [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; };
  out += '"';
  for (auto rest = text.begin();;) {
    const auto special = std::find_if(rest, text.end(), is_escaped);
    out.append(rest, special);
    if (special == text.end()) break;
    if (static_cast<unsigned char>(*special) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(*special));
    } else {
      out += '\\';
      out += *special;
    }
    rest = special + 1;
  }
  out += '"';
}

bool is_json_number(std::string_view text) {
  const auto digits = [&text] {
    const auto end = std::find_if(text.begin(), text.end(), [](char c) { return c < '0' || c > '9'; });
    const auto count = static_cast<std::size_t>(end - text.begin());
    text.remove_prefix(count);
    return count;
  };
  if (text.starts_with('-')) text.remove_prefix(1);
  const bool has_leading_zero = text.starts_with('0');
  const auto whole = digits();
  if (whole == 0 || (has_leading_zero && whole > 1)) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    if (digits() == 0) return false;
  }
  return text.empty();
}

}  // namespace marquee
