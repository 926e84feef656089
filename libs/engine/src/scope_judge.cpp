#include "scope_judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "marquee/engine/judge.h"
#include "sql_tokens.h"
#include "words.h"

namespace marquee::engine {
namespace {

using namespace std::string_view_literals;

constexpr std::array kForEverybody = {"one"sv,
                                      "numbers"sv,
                                      "numbers_mt"sv,
                                      "zeros"sv,
                                      "zeros_mt"sv,
                                      "functions"sv,
                                      "formats"sv,
                                      "settings"sv,
                                      "data_type_families"sv,
                                      "time_zones"sv,
                                      "keywords"sv,
                                      "collations"sv,
                                      "aggregate_function_combinators"sv,
                                      "table_functions"sv};

constexpr std::array kQueries = {"SelectWithUnionQuery"sv, "SelectQuery"sv, "SelectIntersectExceptQuery"sv,
                                 "DescribeQuery"sv, "Explain"sv};

// What a definition's tree may be made of. Settings ("Set") are not: they name disks.
constexpr std::array kOfDefinitions = {"CreateQuery"sv,
                                       "DropQuery"sv,
                                       "TruncateQuery"sv,
                                       "Identifier"sv,
                                       "Columns"sv,
                                       "Storage"sv,
                                       "ExpressionList"sv,
                                       "ColumnDeclaration"sv,
                                       "DataType"sv,
                                       "Literal"sv,
                                       "Function"sv,
                                       "Index"sv,
                                       "Constraint"sv,
                                       "NameTypePair"sv,
                                       "EnumValues"sv,
                                       "TTLElement"sv,
                                       "StorageOrderByElement"sv};

constexpr std::array kEngines = {"mergetree"sv,
                                 "replacingmergetree"sv,
                                 "summingmergetree"sv,
                                 "aggregatingmergetree"sv,
                                 "collapsingmergetree"sv,
                                 "versionedcollapsingmergetree"sv,
                                 "coalescingmergetree"sv,
                                 "memory"sv,
                                 "log"sv,
                                 "tinylog"sv,
                                 "stripelog"sv,
                                 "null"sv};

/// A line of EXPLAIN AST: "  TableIdentifier db.t (alias x)".
struct Node {
  std::size_t depth = 0;
  std::string_view type;
  std::string_view name;
};

std::vector<Node> nodes_of(std::string_view tree) {
  std::vector<Node> out;
  while (!tree.empty()) {
    const std::size_t end = std::min(tree.find('\n'), tree.size());
    std::string_view line = tree.substr(0, end);
    tree.remove_prefix(std::min(end + 1, tree.size()));
    Node node;
    node.depth = std::min(line.find_first_not_of(' '), line.size());
    line.remove_prefix(node.depth);
    const std::size_t space = std::min(line.find(' '), line.size());
    node.type = line.substr(0, space);
    line.remove_prefix(std::min(space + 1, line.size()));
    node.name = line.substr(0, std::min({line.find(" (alias "), line.find(" (children "), line.size()}));
    if (node.name.starts_with("(children ")) node.name = {};
    out.push_back(node);
  }
  return out;
}

NamedTable table_named(std::string_view name, bool is_certain) {
  const std::size_t dot = name.find('.');
  if (dot == std::string_view::npos) return {.database = {}, .table = std::string(name), .is_certain = is_certain};
  return {.database = std::string(name.substr(0, dot)),
          .table = std::string(name.substr(dot + 1)),
          .is_certain = is_certain};
}

bool is_in(std::string_view function) {
  static constexpr std::array kInFunctions = {"in"sv,     "notin"sv,     "globalin"sv,     "globalnotin"sv,
                                              "nullin"sv, "notnullin"sv, "globalnullin"sv, "globalnotnullin"sv};
  constexpr std::string_view kVariant = "ignoreset";
  std::string name = lower(function);
  if (name.ends_with(kVariant)) name.resize(name.size() - kVariant.size());
  return has(kInFunctions, std::string_view(name));
}

bool reads_by_text(std::string_view function) {
  const std::string name = lower(function);
  return name.starts_with("dict") || name.starts_with("joinget");
}

std::string unquoted_name(std::string_view name) {
  const bool is_quoted = name.size() >= 2 && (name.front() == '`' || name.front() == '"');
  return std::string(is_quoted ? name.substr(1, name.size() - 2) : name);
}

/// "db.table" or "table" from `token` on; leaves the token behind it there.
std::optional<NamedTable> read_name(Tokens& tokens, Token& token) {
  if (!token.is_name()) return std::nullopt;
  NamedTable out{.database = {}, .table = unquoted_name(token.text)};
  token = tokens.next();
  if (!token.is_symbol('.')) return out;
  token = tokens.next();
  if (!token.is_name()) return std::nullopt;
  out.database = std::exchange(out.table, unquoted_name(token.text));
  token = tokens.next();
  return out;
}

}  // namespace

Touched touched_by(std::string_view tree) {
  Touched out;
  const std::vector<Node> nodes = nodes_of(tree);
  if (nodes.empty() || !has(kQueries, nodes.front().type)) {
    out.refusal = "it may only query tables";
    return out;
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    if (node.type == "TableIdentifier") out.tables.push_back(table_named(node.name, true));
    // After IN a name may be that of a table, also by way of another: WITH secret AS x SELECT 1 IN x.
    if (node.type == "Identifier") out.tables.push_back(table_named(node.name, false));
    if (node.type != "Function") continue;
    const bool is_table = i > 0 && nodes[i - 1].type == "TableExpression" && nodes[i - 1].depth + 1 == node.depth;
    const bool is_refused = is_table && !ReaderPolicy::is_harmless_table_function(node.name);
    if (is_refused || reads_by_text(node.name)) out.refusal = fmt::format("it may not use {}()", node.name);
  }
  return out;
}

// The tree does not quote names, so that one with a dot looks like two, and one with a bracket ends early.
std::optional<std::string> refusal_of_names(std::string_view text) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           c == ' ' || c == '%' || static_cast<unsigned char>(c) >= 0x80;
  };
  Tokens tokens(text);
  for (Token token = tokens.next(); token.kind != Token::Kind::end; token = tokens.next()) {
    if (token.kind == Token::Kind::quoted_name && !std::ranges::all_of(unquoted_name(token.text), is_plain)) {
      return "names in quotes may hold letters, digits, blanks, '_', '-' and '%'";
    }
  }
  return std::nullopt;
}

std::optional<Definition> read_definition(std::string_view text) {
  Tokens tokens(text);
  const Token verb = tokens.next();
  Definition out;
  if (verb.is("CREATE")) {
    out.kind = Definition::Kind::create;
  } else if (verb.is("DROP")) {
    out.kind = Definition::Kind::drop;
  } else if (verb.is("TRUNCATE")) {
    out.kind = Definition::Kind::truncate;
  } else {
    return std::nullopt;
  }
  if (!tokens.next().is("TABLE")) return std::nullopt;
  Token token = tokens.next();
  if (token.is("IF")) {
    token = tokens.next();
    if (token.is("NOT")) token = tokens.next();
    if (!token.is("EXISTS")) return std::nullopt;
    token = tokens.next();
  }
  auto table = read_name(tokens, token);
  if (!table) return std::nullopt;
  out.table = std::move(*table);
  if (out.kind == Definition::Kind::create) return token.is_symbol('(') ? std::optional(out) : std::nullopt;
  if (token.is("SYNC")) token = tokens.next();
  while (token.is_symbol(';')) token = tokens.next();
  return token.kind == Token::Kind::end ? std::optional(out) : std::nullopt;
}

std::optional<std::string> refusal_of_definition(std::string_view tree) {
  const std::vector<Node> nodes = nodes_of(tree);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    if (!has(kOfDefinitions, node.type)) return fmt::format("its definition may not hold {}", node.type);
    const bool is_engine = i > 0 && nodes[i - 1].type == "Storage" && nodes[i - 1].depth + 1 == node.depth;
    if (is_engine && node.type == "Function" && !has(kEngines, lower(node.name))) {
      return fmt::format("it may not use the engine {}", node.name);
    }
    if (node.type == "Function" && (reads_by_text(node.name) || is_in(node.name))) {
      return fmt::format("its definition may not use {}()", node.name);
    }
  }
  return std::nullopt;
}

std::optional<NamedTable> insert_target(std::string_view head) {
  Tokens tokens(head);
  if (!tokens.next().is("INSERT")) return std::nullopt;
  Token token = tokens.next();
  if (token.is("INTO")) token = tokens.next();
  if (token.is("TABLE")) token = tokens.next();
  if (token.is("FUNCTION")) return std::nullopt;
  return read_name(tokens, token);
}

bool is_for_everybody(const NamedTable& table) {
  return table.database == "system" && has(kForEverybody, std::string_view(table.table));
}

}  // namespace marquee::engine
