// Whether a statement may run, and with which settings.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "exchange.h"
#include "sql_tokens.h"

namespace marquee::engine {
namespace {

constexpr std::size_t kMostOfDefinition = std::size_t{64} * 1024;
constexpr std::string_view kHidden = "[a statement with credentials]";
// What may stand between the names of a writer's INSERT: "INSERT INTO db.t (a, b)".
constexpr std::string_view kMarksOfNames = ".(),";

/// True where the text holds {name:Identifier}: a name that arrives apart from the query cannot be judged with it.
bool has_identifier_parameter(std::string_view text) {
  Tokens tokens(text);
  Token before;
  Token token = tokens.next();
  for (; token.kind != Token::Kind::end; before = token, token = tokens.next()) {
    if (before.is_symbol(':') && token.is("IDENTIFIER")) return true;
  }
  return false;
}

/// SHOW CLUSTERS and the like: in the tree they are as SHOW TABLES.
bool shows_the_server(std::string_view text) {
  Tokens tokens(text);
  if (!tokens.next().is("SHOW")) return false;
  const Token what = tokens.next();
  return what.is("CLUSTER") || what.is("CLUSTERS") || what.is("MERGES") || what.is("FILESYSTEM");
}

/// Fails for a text that is not one statement: the engine would run what stands before the first error in it.
Answer<> expect_one_statement(std::string_view text, Connection& connection) {
  constexpr std::string_view kTail = ": In scope SELECT formatQuery";
  // Its parser, not more, and its own words for what is wrong.
  const auto parsed = connection.query(fmt::format("SELECT formatQuerySingleLine({})", quote_text(text)), "TSV");
  if (parsed) return {};
  Failure failed = parsed.error();
  if (const std::size_t tail = failed.message.find(kTail); tail != std::string::npos) {
    failed.message.resize(tail);
    failed.message += ". (SYNTAX_ERROR)";
  }
  return std::unexpected(std::move(failed));
}

/// INSERT INTO FUNCTION, whose arguments may be credentials.
bool names_a_function(std::string_view head) {
  Tokens tokens(head);
  for (Token token = tokens.next(); token.kind != Token::Kind::end; token = tokens.next()) {
    if (token.is("FUNCTION")) return true;
  }
  return false;
}

/// A user may tighten its bounds, not widen them (0 is no bound).
std::string bounded(const std::string& name, const std::string& value, const Settings& bounds) {
  const auto bound = std::ranges::find(bounds, name, &Settings::value_type::first);
  std::uint64_t most = 0;
  if (bound != bounds.end()) {
    std::from_chars(bound->second.data(), bound->second.data() + bound->second.size(), most);
  }
  if (most == 0) return value;
  std::uint64_t asked = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), asked);
  const bool is_tighter = error == std::errc() && end == value.data() + value.size() && asked != 0 && asked <= most;
  return is_tighter ? value : bound->second;
}

}  // namespace

std::unexpected<Failure> Exchange::denied(std::string_view why) const {
  return std::unexpected(
      failure(kAccessDenied, "ACCESS_DENIED", fmt::format("{}: Not enough privileges. {}", caller_.user->name, why)));
}

/// A writer's insert: the one thing that it may do beyond a reader.
bool Exchange::adds_rows(const Statement& statement) const {
  return caller_.role == Role::writer && statement.kind == Statement::Kind::insert;
}

Answer<> Exchange::admit(std::string_view text, const Statement& statement, Connection& connection) {
  if (statement.kind == Statement::Kind::empty) {
    return std::unexpected(failure(kSyntaxError, "SYNTAX_ERROR", "Syntax error: Empty query"));
  }
  if (statement.into_outfile || statement.kind == Statement::Kind::insert_infile) {
    return std::unexpected(
        failure(kIntoOutfileNotAllowed, "INTO_OUTFILE_NOT_ALLOWED", "files of the server are not for clients"));
  }
  defines_ = defines(text);
  if (defines_) return admit_definition(text);
  if (adds_rows(statement)) return admit_writer(statement);
  if (caller_.role != Role::admin) return admit_reader(text, statement);
  const bool inserts = statement.kind == Statement::Kind::insert;
  const Classification found = inserts ? Classification{.statements = 1} : connection.classify(text);
  if (found.has_secrets || (inserts && names_a_function(statement.head))) record_.text = kHidden;
  if (found.statements != 1) {
    if (auto one = expect_one_statement(text, connection); !one) return one;
  }
  if (request_.reading_only && found.statements == 1 && !found.changes_nothing) {
    return std::unexpected(
        failure(kReadonly, "READONLY",
                "Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. "
                "You should use method POST for modifying queries."));
  }
  if (!found.changes_nothing && !inserts) connection.spend();  // It may be USE or SET.
  gives_rows_ = found.changes_nothing;
  return {};
}

// On a connection of its own with the engine's defaults, so that nothing the reader sends changes how it is read.
Answer<> Exchange::admit_reader(std::string_view text, const Statement& statement) const {
  if (statement.kind != Statement::Kind::select && statement.kind != Statement::Kind::other) {
    if (caller_.scope) return denied("It has not been granted this");
    return std::unexpected(failure(kReadonly, "READONLY", "a reader may only read"));
  }
  if (auto refused = ReaderPolicy::refusal_of_database(request_.database); refused) return denied(*refused);
  for (const auto& [name, value] : request_.settings) {
    if (auto refused = ReaderPolicy::refusal_of_setting(name); refused) return denied(*refused);
  }
  auto judge = shared_.pool->lend();
  if (!judge) return std::unexpected(judge.error());
  const Classification found = (*judge)->classify(text);
  if (found.statements != 1) {
    if (auto one = expect_one_statement(text, **judge); !one) return one;
    return denied("this cannot be judged");
  }
  const std::string explain = fmt::format("EXPLAIN AST {}", text);
  // Parameters become literals of the tree; those that would become names are refused below.
  auto tree = (*judge)->query(explain, "TSVRaw", request_.parameters);
  if (!tree) return std::unexpected(tree.error());
  if (!found.changes_nothing) {
    if (caller_.scope) return denied("It has not been granted this");
    return std::unexpected(failure(kReadonly, "READONLY", "a reader may only read"));
  }
  if (found.has_secrets) return denied("a reader's query may not carry credentials");
  if (shows_the_server(text)) return denied("a reader may not look at the server");
  if (has_identifier_parameter(text)) return denied("a reader may not send names as parameters");
  if (auto refused = shared_.policy->refusal(*tree); refused) return denied(*refused);
  return caller_.scope ? admit_touched(*tree, **judge) : Answer<>();
}

bool Exchange::may_touch(Privilege privilege, const NamedTable& table) const {
  return caller_.scope->may(privilege, table.database.empty() ? current_database() : table.database, table.table);
}

// A name that was not granted may still be that of a column, a WITH or an external table: where there is no such table.
Answer<> Exchange::admit_touched(std::string_view tree, Connection& judge) const {
  if (unclear_names_) return denied(*unclear_names_);
  const Touched touched = touched_by(tree);
  if (touched.refusal) return denied(*touched.refusal);
  const auto needed = [this](const std::string& table) {
    return denied("To execute this query, it's necessary to have the grant SELECT ON " + table);
  };
  std::string unsure;
  for (const NamedTable& table : touched.tables) {
    if (may_touch(Privilege::select, table) || is_for_everybody(table)) continue;
    const std::string database = table.database.empty() ? current_database() : table.database;
    if (table.is_certain && !table.database.empty()) return needed(database + '.' + table.table);
    unsure += fmt::format("{}({}, {})", unsure.empty() ? "" : ", ", quote_text(database), quote_text(table.table));
  }
  if (unsure.empty()) return {};
  const auto found = judge.query(
      fmt::format("SELECT concat(database, '.', name) FROM system.tables WHERE (database, name) IN ({}) LIMIT 1",
                  unsure),
      "TSVRaw");
  if (!found) return std::unexpected(found.error());
  return found->empty() ? Answer<>() : needed(found->substr(0, found->find('\n')));
}

/// What a guest with the grants for it may do beside reading and adding rows.
bool Exchange::defines(std::string_view text) const {
  if (!caller_.scope || caller_.role == Role::admin) return false;
  return read_definition(text.substr(0, kMostOfDefinition)).has_value();
}

Answer<> Exchange::admit_definition(std::string_view text) const {
  using Kind = Definition::Kind;
  const auto definition = read_definition(text);
  if (!definition) return denied("It has not been granted this");
  const Privilege needed = definition->kind == Kind::create ? Privilege::create_table
                           : definition->kind == Kind::drop ? Privilege::drop_table
                                                            : Privilege::truncate;
  const std::string database = definition->table.database.empty() ? current_database() : definition->table.database;
  if (ReaderPolicy::is_of_the_server(database) || !may_touch(needed, definition->table)) {
    return denied(fmt::format("To execute this query, it's necessary to have the grant {} ON {}.{}", name_of(needed),
                              database, definition->table.table));
  }
  if (request_.reading_only) {
    return std::unexpected(failure(kReadonly, "READONLY", "Cannot execute query in readonly mode; use method POST"));
  }
  if (unclear_names_) return denied(*unclear_names_);
  for (const auto& [name, value] : request_.settings) {
    if (auto refused = ReaderPolicy::refusal_of_setting(name); refused && name != "wait_end_of_query") {
      return denied(*refused);
    }
  }
  if (has_identifier_parameter(text)) return denied("a guest may not send names as parameters");
  auto judge = shared_.pool->lend();
  if (!judge) return std::unexpected(judge.error());
  if ((*judge)->classify(text).statements != 1) {
    if (auto one = expect_one_statement(text, **judge); !one) return one;
    return denied("this cannot be judged");
  }
  auto tree = (*judge)->query(fmt::format("EXPLAIN AST {}", text), "TSVRaw", request_.parameters);
  if (!tree) return std::unexpected(tree.error());
  if (auto refused = refusal_of_definition(*tree); refused) return denied(*refused);
  if (auto refused = shared_.policy->refusal_of_functions(*tree); refused) return denied(*refused);
  return {};
}

// Rows in a format that a client sends are values: what would evaluate or fetch them is off, and the target a table.
Answer<> Exchange::admit_writer(const Statement& statement) const {
  if (auto refused = ReaderPolicy::refusal_of_database(request_.database); refused) return denied(*refused);
  for (const auto& [name, value] : request_.settings) {
    if (auto refused = ReaderPolicy::refusal_of_insert_setting(name); refused) return denied(*refused);
  }
  Tokens tokens(statement.head);
  bool is_plain = tokens.next().is("INSERT");
  for (Token token = tokens.next(); token.kind != Token::Kind::end; token = tokens.next()) {
    const bool is_mark = token.kind == Token::Kind::symbol && kMarksOfNames.find(token.text) != std::string_view::npos;
    is_plain = is_plain && (is_mark || (token.is_name() && !token.is("FUNCTION") && !token.is("SETTINGS")));
    if (token.is_name() && ReaderPolicy::is_of_the_server(token.text)) return denied("a writer may not write there");
  }
  if (!is_plain) return denied("a writer's INSERT names a table and columns, nothing else");
  if (!caller_.scope) return {};
  const auto target = insert_target(statement.head);
  if (unclear_names_ || !target) return denied("the name of the table cannot be told");
  if (may_touch(Privilege::insert, *target)) return {};
  return denied(fmt::format("To execute this query, it's necessary to have the grant INSERT ON {}.{}",
                            target->database.empty() ? current_database() : target->database, target->table));
}

Settings Exchange::wanted_settings() const {
  Settings settings = caller_.user->bounds;
  for (const auto& [name, value] : request_.settings) {
    if (caller_.role == Role::admin) {
      settings.emplace_back(name, value);
    } else if (name != "readonly") {
      settings.emplace_back(name, bounded(name, value, caller_.user->bounds));
    }
  }
  if (std::string mark = own_mark(); !mark.empty()) settings.emplace_back("log_comment", std::move(mark));
  return settings;
}

Answer<> Exchange::restrict(const Statement& statement, Connection& connection) const {
  if (caller_.role == Role::admin) return {};
  const bool adds = adds_rows(statement);
  const std::string role = defines_ ? "maker" : adds ? "writer" : "reader";
  if (auto reduced = connection.query("SET ROLE " + role, "Null"); !reduced) return std::unexpected(reduced.error());
  connection.spend();  // It would stay.
  if (defines_) return {};
  if (adds) {
    // Values would otherwise be expressions, which may read files.
    return connection.set({{"input_format_values_interpret_expressions", "0"},
                           {"input_format_values_deduce_templates_of_expressions", "0"},
                           {"allow_ddl", "0"}});
  }
  // By itself and last: nothing can be set after it, and it cannot be taken back.
  return connection.set({{"readonly", "1"}});
}

}  // namespace marquee::engine
