#include "marquee/engine/statement.h"

#include <optional>

#include "sql_tokens.h"

namespace marquee::engine {
namespace {

/// Tokens with the depth of parentheses that they stand at.
class DepthTokens {
 public:
  DepthTokens(std::string_view sql, std::size_t from) : tokens_(sql, from) {}
  Token next() {
    const Token token = tokens_.next();
    if (token.is_symbol('(') || token.is_symbol('[') || token.is_symbol('{')) ++depth_;
    if ((token.is_symbol(')') || token.is_symbol(']') || token.is_symbol('}')) && depth_ > 0) --depth_;
    return token;
  }
  [[nodiscard]] bool outermost() const { return depth_ == 0; }

 private:
  Tokens tokens_;
  int depth_ = 0;
};

/// Data begins after the line that ends with the format's name, as in ClickHouse.
std::string_view data_after_format(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t' || text.front() == '\f')) text.remove_prefix(1);
  if (text.starts_with("\r\n")) return text.substr(2);
  if (text.starts_with("\n")) return text.substr(1);
  return text;
}

std::string_view without_semicolon(std::string_view text) {
  while (!text.empty() && (text.back() == ';' || text.back() == ' ' || text.back() == '\n' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

/// Skips "INTO TABLE FUNCTION db.table" so that a table named like a keyword is not taken for it.
Token skip_target(DepthTokens& tokens) {
  Token token = tokens.next();
  if (token.is("INTO")) token = tokens.next();
  if (token.is("TABLE")) token = tokens.next();
  if (token.is("FUNCTION")) return tokens.next();
  while (token.is_name()) {
    token = tokens.next();
    if (!token.is_symbol('.')) return token;
    token = tokens.next();
  }
  return token;
}

Statement read_insert(std::string_view text, DepthTokens& tokens) {
  Statement statement{.kind = Statement::Kind::insert, .head = text};
  for (Token token = skip_target(tokens); token.kind != Token::Kind::end; token = tokens.next()) {
    if (!tokens.outermost()) {
      // INSERT INTO t (SELECT ...): a list of columns cannot hold this word unquoted.
      if (token.is("SELECT")) {
        statement.kind = Statement::Kind::other;
        return statement;
      }
      continue;
    }
    if (token.is("VALUES")) {
      statement.head = text.substr(0, token.begin);
      statement.format = "Values";
      statement.data = text.substr(token.finish());
      return statement;
    }
    if (token.is("FORMAT")) {
      const Token name = tokens.next();
      if (!name.is_name()) break;
      statement.head = text.substr(0, token.begin);
      statement.format = name.text;
      statement.data = data_after_format(text.substr(name.finish()));
      return statement;
    }
    if (token.is("FROM") && tokens.next().is("INFILE")) {
      statement.kind = Statement::Kind::insert_infile;
      return statement;
    }
    if (token.is("SELECT") || token.is("WITH") || token.is("FROM") || token.is("WATCH")) {
      statement.kind = Statement::Kind::other;
      return statement;
    }
  }
  statement.head = without_semicolon(text);
  return statement;
}

Statement read_kill(std::string_view text, DepthTokens& tokens) {
  Statement statement{.kind = Statement::Kind::kill, .head = text};
  std::size_t condition = std::string_view::npos;
  std::size_t end = text.size();
  for (Token token = tokens.next(); token.kind != Token::Kind::end; token = tokens.next()) {
    if (!tokens.outermost()) continue;
    if (token.is("WHERE") && condition == std::string_view::npos) condition = token.finish();
    const bool finishes =
        token.is("SYNC") || token.is("ASYNC") || token.is("TEST") || token.is("FORMAT") || token.is_symbol(';');
    if (condition != std::string_view::npos && finishes) {
      end = token.begin;
      break;
    }
  }
  if (condition == std::string_view::npos) return statement;
  statement.kill_before = text.substr(0, condition);
  statement.kill_condition = text.substr(condition, end - condition);
  statement.kill_after = text.substr(end);
  return statement;
}

/// Finds FORMAT and INTO OUTFILE at the end of a statement that gives rows.
Statement read_query(std::string_view text, Statement::Kind kind, DepthTokens& tokens) {
  Statement statement{.kind = kind, .head = text};
  Token before;
  for (Token token = tokens.next(); token.kind != Token::Kind::end;) {
    Token following = tokens.next();
    if (tokens.outermost() && token.is("FORMAT") && following.is_name() && !before.is("AS") && !before.is_symbol('.')) {
      const Token after = tokens.next();
      if (after.kind == Token::Kind::end || after.is_symbol(';') || after.is("SETTINGS") || after.is("INTO")) {
        statement.format = following.text;
        statement.format_clause = text.substr(token.begin, following.finish() - token.begin);
      }
      before = following;
      token = after;
      continue;
    }
    if (token.is("INTO") && following.is("OUTFILE")) statement.into_outfile = true;
    before = token;
    token = following;
  }
  return statement;
}

/// WITH ... INSERT INTO: an insert like any other, whose head begins with WITH.
std::optional<Statement> read_with_insert(std::string_view text, DepthTokens& tokens) {
  for (Token token = tokens.next(); token.kind != Token::Kind::end;) {
    const bool may_begin = tokens.outermost() && token.is("INSERT");
    token = tokens.next();
    if (!may_begin || !tokens.outermost() || !token.is("INTO")) continue;
    DepthTokens rest(text, token.begin);
    return read_insert(text, rest);
  }
  return std::nullopt;
}

}  // namespace

Statement read_statement(std::string_view text) {
  DepthTokens tokens(text, 0);
  const Token first = tokens.next();
  if (first.kind == Token::Kind::end) return {};
  if (first.is("INSERT")) return read_insert(text, tokens);
  if (first.is("KILL")) return read_kill(text, tokens);
  if (first.is("WITH")) {
    if (const auto insert = read_with_insert(text, tokens)) return *insert;
  }
  const bool selects = first.is("SELECT") || first.is("WITH") || first.is("FROM") || first.is_symbol('(');
  DepthTokens again(text, first.begin);
  return read_query(text, selects ? Statement::Kind::select : Statement::Kind::other, again);
}

}  // namespace marquee::engine
