// ClickHouse's SQL cut into words, as far as the statements of sql/ need it.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace marquee::clickhouse {

struct SqlWord {
  enum class Kind { name, text, number, symbol };
  Kind kind = Kind::symbol;
  std::string_view text;  ///< Points into the SQL; quotes included.
  std::size_t begin = 0;  ///< Of its first byte.
  unsigned depth = 0;     ///< Parentheses that are open around it.
  [[nodiscard]] std::size_t end() const { return begin + text.size(); }
  /// Compares a name without case; `keyword` is in capitals.
  [[nodiscard]] bool is(std::string_view keyword) const;
  [[nodiscard]] bool is_symbol(char c) const { return kind == Kind::symbol && text.front() == c; }
};

/// Comments are left out; what a quote opens is one word.
[[nodiscard]] std::vector<SqlWord> sql_words(std::string_view sql);

}  // namespace marquee::clickhouse
