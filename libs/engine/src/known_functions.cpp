#include "known_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "marquee/engine/connection.h"
#include "sql_tokens.h"

namespace marquee::engine {
namespace {

std::string array_of(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + quote_text(name);
  return fmt::format("CAST([{}], 'Array(String)')", out);
}

std::optional<std::string> value_of(const Token& function, const KnownOfRequest& known) {
  if (function.is("CURRENTUSER") || function.is("CURRENT_USER") || function.is("USER")) return quote_text(known.user);
  if (function.is("CURRENTROLES") || function.is("ENABLEDROLES")) return array_of(known.roles);
  if (function.is("QUERYID") || function.is("QUERY_ID") || function.is("INITIALQUERYID") ||
      function.is("INITIAL_QUERY_ID")) {
    return quote_text(known.query_id);
  }
  return std::nullopt;
}

/// Cheap: most queries hold none, and need not be cut into tokens.
bool may_hold_one(std::string_view query) {
  static constexpr std::array kPieces = {std::string_view("user"), std::string_view("roles"), std::string_view("id")};
  const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
  return std::ranges::any_of(kPieces, [&](std::string_view piece) {
    for (std::size_t at = 0; (at = query.find('(', at)) != std::string_view::npos; ++at) {
      std::string_view before = query.substr(0, at);
      while (!before.empty() && (before.back() == ' ' || before.back() == '\n')) before.remove_suffix(1);
      if (before.size() >= piece.size() &&
          std::ranges::equal(before.substr(before.size() - piece.size()), piece, same)) {
        return true;
      }
    }
    return false;
  });
}

}  // namespace

std::string with_known_functions(std::string query, const KnownOfRequest& known) {
  if (!may_hold_one(query)) return query;
  std::string out;
  std::size_t copied = 0;
  Tokens tokens(query);
  Token before;
  for (Token token = tokens.next(); token.kind != Token::Kind::end;) {
    const Token open = tokens.next();
    const auto value = token.kind == Token::Kind::word && !before.is_symbol('.') && open.is_symbol('(')
                           ? value_of(token, known)
                           : std::nullopt;
    if (!value) {
      before = token;
      token = open;
      continue;
    }
    const Token close = tokens.next();
    if (close.is_symbol(')')) {
      out.append(query, copied, token.begin - copied);
      out += fmt::format("({} AS {})", *value, quote_name(fmt::format("{}()", token.text)));
      copied = close.finish();
    }
    before = close;
    token = tokens.next();
  }
  out.append(query, copied);
  return out;
}

}  // namespace marquee::engine
