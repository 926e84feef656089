#include "marquee/engine/access_statement.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "sql_tokens.h"

namespace marquee::engine {
namespace {

using AccessKind = AccessStatement::Kind;

constexpr std::size_t kLongestName = 128;

/// The text of a quoted name or string without its quotes and escapes.
std::string unquoted_text(std::string_view text) {
  const char quote = text.front();
  text = text.substr(1, text.size() >= 2 ? text.size() - 2 : 0);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool has_next = i + 1 < text.size();
    if (text[i] == quote && has_next && text[i + 1] == quote) ++i;
    if (text[i] == '\\' && has_next) {
      ++i;
      out.push_back(text[i] == 'n' ? '\n' : text[i] == 't' ? '\t' : text[i] == 'r' ? '\r' : text[i]);
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

bool is_printable(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

/// Reads one statement; the first thing that does not fit is kept, and what follows has no effect.
class Reader {
 public:
  Reader(std::string_view text, std::string_view database)
      : tokens_(text), database_(database), token_(tokens_.next()) {}

  [[nodiscard]] bool at(std::string_view keyword) const { return token_.is(keyword); }
  [[nodiscard]] bool at_symbol(char c) const { return token_.is_symbol(c); }
  bool take(std::string_view keyword) {
    if (!token_.is(keyword)) return false;
    step();
    return true;
  }
  bool take_symbol(char c) {
    if (!token_.is_symbol(c)) return false;
    step();
    return true;
  }
  void expect(std::string_view keyword) {
    if (!take(keyword)) fail(fmt::format("expected {}", keyword));
  }
  void fail(std::string_view why) {
    if (failed_) return;
    const std::string where = token_.kind == Token::Kind::end ? "the end" : fmt::format("'{}'", token_.text);
    failed_ = failure(kSyntaxError, "SYNTAX_ERROR", fmt::format("Syntax error: failed at {}: {}", where, why));
  }
  void lack(std::string_view what) {
    if (!failed_) failed_ = failure(kNotImplemented, "NOT_IMPLEMENTED", fmt::format("the store has no {}", what));
  }
  [[nodiscard]] const std::optional<Failure>& failed() const { return failed_; }

  std::string text() {
    if (token_.kind != Token::Kind::string) fail("expected a text in quotes");
    return failed_ ? std::string() : unquoted_text(step().text);
  }
  /// Of a user, role, database or table.
  std::string name() {
    std::string out;
    if (token_.kind == Token::Kind::word) {
      out = step().text;
    } else if (token_.kind == Token::Kind::quoted_name || token_.kind == Token::Kind::string) {
      out = unquoted_text(step().text);
    }
    if (out.empty() || out.size() > kLongestName || !is_printable(out)) fail("expected a name");
    return out;
  }
  std::vector<std::string> names() {
    std::vector<std::string> out;
    do {
      out.push_back(name());
    } while (!failed_ && take_symbol(','));
    return out;
  }
  void skip_cluster() {
    if (!at("ON")) return;
    step();
    expect("CLUSTER");
    lack("cluster: leave ON CLUSTER out");
  }
  void finish() {
    while (take_symbol(';')) continue;
    if (token_.kind != Token::Kind::end) fail("expected the end of the statement");
  }
  /// "db.table", "db.*", "*.*", "table" or "*".
  void target(Grant& grant) {
    if (take_symbol('*')) {
      if (!take_symbol('.')) {
        grant.database = database_;
      } else if (!take_symbol('*')) {
        fail("expected *");
      }
      return;
    }
    grant.database = name();
    if (!take_symbol('.')) {
      grant.table = std::exchange(grant.database, std::string(database_));
    } else if (!take_symbol('*')) {
      grant.table = name();
    }
  }
  Token step() { return std::exchange(token_, tokens_.next()); }
  [[nodiscard]] const Token& token() const { return token_; }

 private:
  Tokens tokens_;
  std::string_view database_;
  Token token_;
  std::optional<Failure> failed_;
};

constexpr std::array kAll = {Privilege::select,     Privilege::insert,   Privilege::create_table,
                             Privilege::drop_table, Privilege::truncate, Privilege::show};

void read_privilege(Reader& reader, std::vector<Privilege>& out) {
  if (reader.take("ALL")) {
    reader.take("PRIVILEGES");
    out.assign(kAll.begin(), kAll.end());
  } else if (reader.take("SELECT")) {
    out.push_back(Privilege::select);
  } else if (reader.take("INSERT")) {
    out.push_back(Privilege::insert);
  } else if (reader.take("TRUNCATE")) {
    out.push_back(Privilege::truncate);
  } else if (reader.take("SHOW")) {
    out.push_back(Privilege::show);
    while (!reader.at("ON") && reader.token().kind == Token::Kind::word) reader.step();
  } else if (reader.at("CREATE") || reader.at("DROP")) {
    const bool makes = reader.step().is("CREATE");
    if (!reader.take("TABLE")) reader.lack("such privilege; it has CREATE TABLE and DROP TABLE");
    out.push_back(makes ? Privilege::create_table : Privilege::drop_table);
  } else {
    reader.lack(fmt::format("privilege {}; it has SELECT, INSERT, TRUNCATE, SHOW, CREATE TABLE and DROP TABLE",
                            reader.token().text));
  }
  if (reader.at_symbol('(')) reader.lack("privileges on single columns");
}

/// "SELECT, INSERT ON db.*, CREATE TABLE ON *.*".
std::vector<Grant> read_grants(Reader& reader) {
  std::vector<Grant> out;
  do {
    std::vector<Privilege> privileges;
    do {
      read_privilege(reader, privileges);
    } while (!reader.failed() && reader.take_symbol(','));
    reader.expect("ON");
    Grant grant;
    reader.target(grant);
    for (const Privilege privilege : privileges) {
      grant.privilege = privilege;
      out.push_back(grant);
    }
  } while (!reader.failed() && reader.take_symbol(','));
  return out;
}

/// True where a list of roles follows, not privileges: no ON before `end`.
bool names_roles(Reader ahead, std::string_view end) {
  while (!ahead.at(end) && ahead.token().kind != Token::Kind::end) {
    if (ahead.step().is("ON")) return false;
  }
  return true;
}

void read_grant(Reader& reader, AccessStatement& statement, bool gives) {
  const std::string_view end = gives ? "TO" : "FROM";
  reader.skip_cluster();
  Reader ahead = reader;
  if ((ahead.take("ADMIN") || ahead.take("GRANT")) && ahead.at("OPTION")) {
    reader.lack("right to grant other than that of administrators");
  }
  if (names_roles(reader, end)) {
    statement.kind = gives ? AccessKind::grant_roles : AccessKind::revoke_roles;
    statement.roles = reader.names();
  } else {
    statement.kind = gives ? AccessKind::grant : AccessKind::revoke;
    statement.grants = read_grants(reader);
  }
  reader.expect(end);
  statement.names = reader.names();
  if (reader.at("WITH")) reader.lack("right to grant other than that of administrators");
}

void read_identification(Reader& reader, AccessStatement& statement) {
  // Whichever way is asked for, the store keeps a hash of its own kind.
  static constexpr std::array kOfPasswords = {"PLAINTEXT_PASSWORD", "SHA256_PASSWORD", "DOUBLE_SHA1_PASSWORD",
                                              "BCRYPT_PASSWORD", "SCRAM_SHA256_PASSWORD"};
  bool is_hash = false;
  if (reader.take("WITH")) {
    is_hash = reader.take("ARGON2_HASH");
    const bool known = is_hash || std::ranges::any_of(kOfPasswords, [&](const char* way) { return reader.take(way); });
    if (!known) reader.lack("such way to identify a user; it has passwords (IDENTIFIED BY '...')");
  }
  reader.expect("BY");
  std::string secret = reader.text();
  if (secret.empty()) reader.fail("a user needs a password");
  (is_hash ? statement.password_hash : statement.password) = std::move(secret);
}

RoleChoice read_choice(Reader& reader) {
  if (reader.take("ALL")) {
    if (reader.at("EXCEPT")) reader.lack("ALL EXCEPT");
    return {};
  }
  if (reader.take("NONE")) return {.is_all = false};
  return {.is_all = false, .names = reader.names()};
}

void read_settings(Reader& reader, Settings& out) {
  do {
    std::string name = reader.name();
    reader.take_symbol('=');
    const Token value = reader.step();
    const bool is_known = name == "readonly" || name.starts_with("max_");
    if (!is_known) reader.lack(fmt::format("setting {} of a user; it has readonly and bounds (max_...)", name));
    if (value.kind != Token::Kind::number || value.text.find_first_not_of("0123456789") != std::string_view::npos) {
      reader.fail("a setting of a user is a whole number");
    }
    out.emplace_back(std::move(name), value.text);
  } while (!reader.failed() && reader.take_symbol(','));
}

void read_user_statement(Reader& reader, AccessStatement& statement) {
  if (reader.take("IF")) {
    statement.if_not_exists = reader.take("NOT");
    statement.if_exists = !statement.if_not_exists;
    reader.expect("EXISTS");
  } else if (reader.take("OR")) {
    reader.expect("REPLACE");
    statement.or_replace = true;
  }
  statement.names = reader.names();
  reader.skip_cluster();
  while (!reader.failed() && reader.token().kind == Token::Kind::word) {
    if (reader.take("IDENTIFIED")) {
      read_identification(reader, statement);
    } else if (reader.take("HOST")) {
      if (!reader.take("ANY")) reader.lack("bounds on where a user comes from");
    } else if (reader.take("DEFAULT")) {
      if (reader.take("DATABASE")) {
        statement.database = reader.take("NONE") ? std::string() : reader.name();
      } else {
        reader.expect("ROLE");
        statement.defaults = read_choice(reader);
      }
    } else if (reader.take("SETTINGS")) {
      read_settings(reader, statement.settings.emplace());
    } else {
      reader.lack(fmt::format("{} of a user", reader.token().text));
    }
  }
}

void read_role(Reader& reader, AccessStatement& statement) {
  if (reader.take("IF")) {
    statement.if_not_exists = reader.take("NOT");
    reader.expect("EXISTS");
  }
  statement.names = reader.names();
  reader.skip_cluster();
  if (reader.at("SETTINGS")) reader.lack("settings of roles");
}

void read_drop(Reader& reader, AccessStatement& statement) {
  if (reader.take("IF")) {
    reader.expect("EXISTS");
    statement.if_exists = true;
  }
  statement.names = reader.names();
  reader.skip_cluster();
}

/// False where it is a statement of another kind.
bool read_set(Reader& reader, AccessStatement& statement) {
  if (reader.take("DEFAULT")) {
    statement.kind = AccessKind::set_defaults;
    reader.expect("ROLE");
    statement.defaults = read_choice(reader);
    reader.expect("TO");
    statement.names = reader.names();
    return true;
  }
  if (!reader.take("ROLE")) return false;
  statement.kind = AccessKind::set_role;
  statement.defaults = reader.take("DEFAULT") ? RoleChoice() : read_choice(reader);
  return true;
}

bool read_show(Reader& reader, AccessStatement& statement) {
  if (reader.take("USERS")) {
    statement.kind = AccessKind::show_users;
  } else if (reader.take("ROLES")) {
    statement.kind = AccessKind::show_roles;
  } else if (reader.take("GRANTS")) {
    statement.kind = AccessKind::show_grants;
    if (reader.take("FOR")) statement.names = {reader.name()};
  } else {
    return false;
  }
  if (reader.take("FORMAT")) reader.lack("FORMAT for this; send default_format beside it");
  return true;
}

bool read_made(Reader& reader, AccessStatement& statement, bool alters) {
  if (reader.take("OR")) {
    reader.take("REPLACE");
    statement.or_replace = true;
  }
  if (reader.take("USER")) {
    statement.kind = alters ? AccessKind::alter_user : AccessKind::create_user;
    read_user_statement(reader, statement);
    return true;
  }
  if (!reader.take("ROLE")) return false;
  statement.kind = AccessKind::create_role;
  read_role(reader, statement);
  if (alters) reader.lack("ALTER ROLE");
  return true;
}

bool read_any(Reader& reader, AccessStatement& statement) {
  if (reader.take("CREATE")) return read_made(reader, statement, false);
  if (reader.take("ALTER")) return read_made(reader, statement, true);
  if (reader.take("SET")) return read_set(reader, statement);
  if (reader.take("SHOW")) return read_show(reader, statement);
  if (reader.at("GRANT") || reader.at("REVOKE")) {
    const bool gives = reader.step().is("GRANT");
    read_grant(reader, statement, gives);
    return true;
  }
  if (!reader.take("DROP") || (!reader.at("USER") && !reader.at("ROLE"))) return false;
  statement.kind = reader.step().is("USER") ? AccessKind::drop_user : AccessKind::drop_role;
  read_drop(reader, statement);
  return true;
}

}  // namespace

std::optional<Answer<AccessStatement>> read_access_statement(std::string_view text, std::string_view database) {
  Reader reader(text, database);
  AccessStatement statement;
  if (!read_any(reader, statement)) return std::nullopt;
  reader.finish();
  if (reader.failed()) return std::unexpected(*reader.failed());
  return statement;
}

}  // namespace marquee::engine
