#include "sql_words.h"

#include <algorithm>

namespace marquee::clickhouse {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

/// One past the quote that closes what opens at `begin`; a backslash, or the quote twice, keeps it open.
std::size_t end_of_quoted(std::string_view sql, std::size_t begin) {
  const char quote = sql[begin];
  for (std::size_t at = begin + 1; at < sql.size(); ++at) {
    if (sql[at] == '\\') {
      ++at;
    } else if (sql[at] == quote) {
      if (at + 1 >= sql.size() || sql[at + 1] != quote) return at + 1;
      ++at;
    }
  }
  return sql.size();
}

/// The first byte from `at` on that is neither blank nor comment.
std::size_t skip_blanks(std::string_view sql, std::size_t at) {
  while (at < sql.size()) {
    if (sql[at] == ' ' || sql[at] == '\n' || sql[at] == '\t' || sql[at] == '\r') {
      ++at;
    } else if (sql.substr(at).starts_with("--")) {
      at = std::min(sql.find('\n', at), sql.size());
    } else if (sql.substr(at).starts_with("/*")) {
      const std::size_t close = sql.find("*/", at + 2);
      at = close == std::string_view::npos ? sql.size() : close + 2;
    } else {
      break;
    }
  }
  return at;
}

}  // namespace

bool SqlWord::is(std::string_view keyword) const {
  return kind == Kind::name && std::ranges::equal(text, keyword, {}, upper);
}

std::vector<SqlWord> sql_words(std::string_view sql) {
  std::vector<SqlWord> words;
  unsigned depth = 0;
  for (std::size_t at = skip_blanks(sql, 0); at < sql.size(); at = skip_blanks(sql, at)) {
    SqlWord word;
    word.begin = at;
    const char first = sql[at];
    if (first == '\'' || first == '"' || first == '`') {
      word.kind = first == '\'' ? SqlWord::Kind::text : SqlWord::Kind::name;
      at = end_of_quoted(sql, at);
    } else if (is_letter(first) || is_digit(first)) {
      word.kind = is_letter(first) ? SqlWord::Kind::name : SqlWord::Kind::number;
      while (at < sql.size() && (is_letter(sql[at]) || is_digit(sql[at]))) ++at;
    } else {
      if (first == ')' && depth != 0) --depth;
      word.depth = depth;
      if (first == '(') ++depth;
      ++at;
    }
    if (word.kind != SqlWord::Kind::symbol) word.depth = depth;
    word.text = sql.substr(word.begin, at - word.begin);
    words.push_back(word);
  }
  return words;
}

}  // namespace marquee::clickhouse
