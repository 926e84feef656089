#include "native_type.h"

#include <algorithm>

namespace marquee::engine {
namespace {

constexpr int kDeepestType = 64;

/// The offset after the quoted text that begins at `at`; npos where it does not end.
std::size_t after_quoted(std::string_view text, std::size_t at) {
  const char quote = text[at];
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

bool is_quote(char c) { return c == '\'' || c == '`' || c == '"'; }

/// The offset of the first `wanted` outside quotes and parentheses, or the size; npos where they do not match.
std::size_t find_outside(std::string_view text, char wanted) {
  int depth = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (is_quote(text[i])) {
      i = after_quoted(text, i);
      if (i == std::string_view::npos) return i;
      continue;
    }
    if (depth == 0 && text[i] == wanted) return i;
    if (text[i] == '(') ++depth;
    if (text[i] == ')' && --depth < 0) return std::string_view::npos;
    ++i;
  }
  return depth == 0 ? text.size() : std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::string unquoted_label(std::string_view label) {
  if (label.size() < 2 || !is_quote(label.front())) return std::string(label);
  std::string out;
  for (std::size_t i = 1; i + 1 < label.size(); ++i) {
    if (label[i] == '\\') ++i;
    out.push_back(label[i]);
  }
  return out;
}

std::optional<NativeType> parse(std::string_view text, int depth) {
  text = trimmed(text);
  if (depth > kDeepestType || text.empty()) return std::nullopt;
  NativeType type;
  // "label Type": an element of a Tuple, a path of JSON.
  const std::size_t space = find_outside(text, ' ');
  if (space == std::string_view::npos) return std::nullopt;
  const bool is_assignment = find_outside(text, '=') != text.size();  // As in an Enum.
  if (space < text.size() && !is_assignment && !text.starts_with("SKIP ")) {
    type.label = unquoted_label(text.substr(0, space));
    text = trimmed(text.substr(space));
  }
  type.text = text;
  const std::size_t open = std::min(text.size(), text.find_first_of("('`\""));
  type.name = text.substr(0, open);
  if (open == text.size() || text[open] != '(' || text.back() != ')') {
    type.name = text;
    return type;
  }
  std::string_view rest = text.substr(open + 1, text.size() - open - 2);
  while (!rest.empty()) {
    const std::size_t comma = find_outside(rest, ',');
    if (comma == std::string_view::npos) return std::nullopt;
    auto argument = parse(rest.substr(0, comma), depth + 1);
    if (!argument) return std::nullopt;
    type.arguments.push_back(std::move(*argument));
    rest.remove_prefix(std::min(rest.size(), comma + 1));
  }
  return type;
}

}  // namespace

std::optional<NativeType> parse_native_type(std::string_view text) { return parse(text, 0); }

}  // namespace marquee::engine
