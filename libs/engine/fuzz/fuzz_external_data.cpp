// Forms of any bytes: no crash, and the parts lie in the body. Structures of any text: what is accepted makes one
// statement.
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>

#include "external_data.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parts = marquee::engine::read_form(text, "b");
  const std::less_equal<const char*> not_after;
  if (parts) {
    for (const auto& part : *parts) {
      const bool inside = not_after(text.data(), part.data.data()) &&
                          not_after(part.data.data() + part.data.size(), text.data() + text.size());
      if (!inside) std::abort();
    }
  }
  const marquee::engine::FormPart part{.name = "x", .is_file = true, .data = {}};
  const auto table = marquee::engine::read_external_table(part, {{"x_structure", std::string(text)}});
  if (!table) return 0;
  int depth = 0;
  bool in_name = false;
  bool in_text = false;
  for (std::size_t i = 0; i < table->columns.size(); ++i) {
    const char c = table->columns[i];
    if (c == '\\' && (in_name || in_text)) {
      ++i;
    } else if (c == '`' && !in_text) {
      in_name = !in_name;
    } else if (c == '\'' && !in_name) {
      in_text = !in_text;
    } else if (!in_name && !in_text) {
      depth += c == '(' ? 1 : c == ')' ? -1 : 0;
      if (depth < 0 || c == ';') std::abort();
    }
  }
  if (depth != 0 || in_name || in_text) std::abort();
  return 0;
}
