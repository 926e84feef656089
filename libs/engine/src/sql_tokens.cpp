#include "sql_tokens.h"

#include <algorithm>

namespace marquee::engine {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_word(char c) { return is_word_start(c) || is_digit(c) || c == '$'; }
char capital(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

}  // namespace

bool Token::is(std::string_view keyword) const {
  return kind == Kind::word && std::ranges::equal(text, keyword, {}, capital);
}

bool Tokens::skip_comment() {
  const std::string_view rest = sql_.substr(at_);
  if (rest.starts_with("--") || rest.starts_with("# ") || rest.starts_with("#!")) {
    const std::size_t end = rest.find('\n');
    at_ = end == std::string_view::npos ? sql_.size() : at_ + end + 1;
    return true;
  }
  if (rest.starts_with("/*")) {
    const std::size_t end = rest.find("*/", 2);
    at_ = end == std::string_view::npos ? sql_.size() : at_ + end + 2;
    return true;
  }
  return false;
}

void Tokens::skip_blanks() {
  do {
    while (at_ < sql_.size() && is_blank(sql_[at_])) ++at_;
  } while (at_ < sql_.size() && skip_comment());
}

std::size_t Tokens::end_of_quoted(char quote) const {
  std::size_t i = at_ + 1;
  while (i < sql_.size()) {
    if (sql_[i] == '\\') {
      i += 2;
    } else if (sql_[i] != quote) {
      ++i;
    } else if (i + 1 < sql_.size() && sql_[i + 1] == quote) {
      i += 2;  // A doubled quote stands for itself.
    } else {
      return i + 1;
    }
  }
  return sql_.size();
}

std::size_t Tokens::end_of_heredoc() const {
  std::size_t tag_end = at_ + 1;
  while (tag_end < sql_.size() && is_word(sql_[tag_end]) && sql_[tag_end] != '$') ++tag_end;
  if (tag_end >= sql_.size() || sql_[tag_end] != '$') return at_ + 1;
  const std::string_view tag = sql_.substr(at_, tag_end + 1 - at_);
  const std::size_t close = sql_.find(tag, tag_end + 1);
  return close == std::string_view::npos ? at_ + 1 : close + tag.size();
}

Token Tokens::next() {
  skip_blanks();
  Token token;
  token.begin = at_;
  if (at_ >= sql_.size()) return token;
  const char first = sql_[at_];
  std::size_t end = at_ + 1;
  if (is_word_start(first)) {
    token.kind = Token::Kind::word;
    while (end < sql_.size() && is_word(sql_[end])) ++end;
  } else if (is_digit(first)) {
    token.kind = Token::Kind::number;
    while (end < sql_.size() && (is_word(sql_[end]) || sql_[end] == '.')) ++end;
  } else if (first == '\'') {
    token.kind = Token::Kind::string;
    end = end_of_quoted(first);
  } else if (first == '"' || first == '`') {
    token.kind = Token::Kind::quoted_name;
    end = end_of_quoted(first);
  } else if (first == '$' && end_of_heredoc() > at_ + 1) {
    token.kind = Token::Kind::string;
    end = end_of_heredoc();
  } else {
    token.kind = Token::Kind::symbol;
  }
  token.text = sql_.substr(at_, end - at_);
  at_ = end;
  return token;
}

}  // namespace marquee::engine
