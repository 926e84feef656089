// ClickHouse's SQL cut into tokens: quotes, comments and heredocs are skipped over as the engine does.
#pragma once

#include <cstddef>
#include <string_view>

namespace marquee::engine {

struct Token {
  enum class Kind { end, word, quoted_name, string, number, symbol };
  Kind kind = Kind::end;
  std::string_view text;  ///< Points into the SQL.
  std::size_t begin = 0;  ///< Offset of the first byte.
  [[nodiscard]] std::size_t finish() const { return begin + text.size(); }
  /// Compares without case; `keyword` is in capitals.
  [[nodiscard]] bool is(std::string_view keyword) const;
  [[nodiscard]] bool is_symbol(char c) const { return kind == Kind::symbol && text.front() == c; }
  [[nodiscard]] bool is_name() const { return kind == Kind::word || kind == Kind::quoted_name; }
};

class Tokens {
 public:
  explicit Tokens(std::string_view sql, std::size_t from = 0) : sql_(sql), at_(from) {}
  /// The next token; Kind::end at the end, again and again.
  [[nodiscard]] Token next();

 private:
  void skip_blanks();
  bool skip_comment();
  [[nodiscard]] std::size_t end_of_quoted(char quote) const;
  [[nodiscard]] std::size_t end_of_heredoc() const;

  std::string_view sql_;
  std::size_t at_;
};

}  // namespace marquee::engine
