#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "known_functions.h"
#include "marquee/engine/access_state.h"
#include "marquee/engine/access_statement.h"
#include "password_hash.h"
#include "scope_judge.h"

namespace marquee::engine {
namespace {

int code_of(const std::string& text) {
  const auto statement = read_access_statement(text, "db");
  if (!statement) return -1;
  return *statement ? 0 : statement->error().code;
}

Answer<> run(AccessState& state, const std::string& text) {
  const auto statement = read_access_statement(text, "db");
  if (!statement || !*statement) return std::unexpected(failure(kSyntaxError, "SYNTAX_ERROR", text));
  return state.apply(**statement, {"default"});
}

TEST(AccessStatement, is_told_from_others) {
  for (const std::string text :
       {"CREATE TABLE user (a Int8)", "SELECT 1", "DROP TABLE role", "SET a = 1", "SHOW TABLES",
        "CREATE ROW POLICY p ON t", "ALTER TABLE t ADD COLUMN role Int8", "", "-- CREATE USER x\nSELECT 1"}) {
    EXPECT_EQ(code_of(text), -1) << text;
  }
  for (const std::string text : {"create user `a b` identified by 'x'",
                                 "/* */ CREATE USER IF NOT EXISTS u IDENTIFIED WITH bcrypt_password BY 'x';",
                                 "GRANT SELECT, INSERT ON *.* TO u, v", "GRANT SHOW TABLES, SELECT ON db.* TO u",
                                 "GRANT ALL PRIVILEGES ON * TO u", "GRANT a, b TO u", "REVOKE SELECT ON t FROM u",
                                 "SET DEFAULT ROLE ALL TO u", "SET ROLE NONE", "DROP ROLE IF EXISTS r",
                                 "SHOW GRANTS FOR u", "GRANT SELECT ON a.b, CREATE TABLE ON c.* TO u"}) {
    EXPECT_EQ(code_of(text), 0) << text;
  }
  for (const std::string text : {"GRANT", "GRANT SELECT ON TO u", "CREATE USER", "GRANT SELECT ON a.b TO u SELECT 1",
                                 "CREATE USER u IDENTIFIED BY ''", "DROP USER u; DROP TABLE t", "SET DEFAULT ROLE r"}) {
    EXPECT_EQ(code_of(text), kSyntaxError) << text;
  }
  for (const std::string text :
       {"GRANT FILE ON *.* TO u", "GRANT SELECT(a) ON t TO u", "CREATE USER u HOST IP '::1'",
        "GRANT SELECT ON t TO u WITH GRANT OPTION", "CREATE USER u ON CLUSTER c IDENTIFIED BY 'x'",
        "ALTER ROLE r SETTINGS a = 1", "CREATE USER u IDENTIFIED WITH ldap SERVER 's'"}) {
    EXPECT_EQ(code_of(text), kNotImplemented) << text;
  }
}

TEST(AccessStatement, takes_names_and_passwords_out_of_their_quotes) {
  const auto read = read_access_statement(R"(CREATE USER "a""b" IDENTIFIED BY 'p\'q''r\\s')", "db");
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->names, std::vector<std::string>{"a\"b"});
  EXPECT_EQ((*read)->password, "p'q'r\\s");
}

TEST(AccessState, is_the_same_once_written_and_read) {
  AccessState state;
  for (const std::string text :
       {"CREATE ROLE inside, outside", "GRANT SELECT ON `a b`.t, INSERT ON *.* TO inside", "GRANT inside TO outside",
        "CREATE USER `o'x` IDENTIFIED WITH ARGON2_HASH BY '$h' DEFAULT DATABASE d SETTINGS readonly = 1, max_threads = "
        "2",
        "GRANT outside, reader TO `o'x`", "SET DEFAULT ROLE reader TO `o'x`", "GRANT outside TO default"}) {
    ASSERT_TRUE(run(state, text)) << text;
  }
  const auto again = AccessState::read(state.text());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->text(), state.text());
  EXPECT_EQ(again->with_inner_roles({"outside"}), (std::set<std::string>{"inside", "outside"}));
  EXPECT_EQ(again->roles_of_fixed("default"), std::set<std::string>{"outside"});
  EXPECT_EQ(again->user("o'x")->defaults.names, std::vector<std::string>{"reader"});
}

TEST(AccessState, takes_back_whole_grants_alone) {
  AccessState state;
  ASSERT_TRUE(run(state, "CREATE ROLE r"));
  ASSERT_TRUE(run(state, "GRANT SELECT ON db.* TO r"));
  const auto part = run(state, "REVOKE SELECT ON db.t FROM r");
  ASSERT_FALSE(part);
  EXPECT_EQ(part.error().code, kNotImplemented);
  ASSERT_TRUE(run(state, "REVOKE INSERT ON db.t FROM r"));
  ASSERT_TRUE(run(state, "REVOKE ALL ON *.* FROM r"));
  EXPECT_TRUE(state.roles().at("r").grants.empty());
}

TEST(AccessState, lets_no_role_hold_itself) {
  AccessState state;
  ASSERT_TRUE(run(state, "CREATE ROLE a, b, c"));
  ASSERT_TRUE(run(state, "GRANT a TO b"));
  ASSERT_TRUE(run(state, "GRANT b TO c"));
  EXPECT_FALSE(run(state, "GRANT c TO a"));
}

TEST(Password, matches_its_hash_alone) {
  const auto hash = hash_password("secret");
  ASSERT_TRUE(hash);
  EXPECT_TRUE(matches_password(*hash, "secret"));
  EXPECT_FALSE(matches_password(*hash, "Secret"));
  EXPECT_FALSE(matches_password("secret", "secret"));
  EXPECT_NE(*hash, *hash_password("secret"));
}

TEST(Touched, names_tables_and_what_may_be_some) {
  const Touched touched = touched_by(
      "SelectWithUnionQuery (children 1)\n TableExpression (children 1)\n  TableIdentifier a.b (alias c)\n"
      " Function notIn (alias x) (children 1)\n  ExpressionList (children 2)\n   Function plus (children 1)\n"
      "    Identifier q\n   Identifier t\n");
  ASSERT_FALSE(touched.refusal);
  ASSERT_EQ(touched.tables.size(), 3U);
  EXPECT_EQ(touched.tables[0].database + "/" + touched.tables[0].table, "a/b");
  EXPECT_EQ(touched.tables[1].table + touched.tables[2].table, "qt");
  EXPECT_FALSE(touched.tables[2].is_certain);
  EXPECT_TRUE(touched_by("InsertQuery\n").refusal);
  EXPECT_TRUE(touched_by("").refusal);
  EXPECT_TRUE(touched_by("SelectQuery\n TableExpression (children 1)\n  Function merge (children 1)\n").refusal);
  EXPECT_TRUE(touched_by("SelectQuery\n Function dictGet (children 1)\n").refusal);
}

TEST(Touched, refuses_names_that_the_tree_would_tell_wrongly) {
  EXPECT_FALSE(refusal_of_names("SELECT `a b` AS \"CTR %\" FROM t WHERE x = 'a.b'"));
  for (const std::string text :
       {"SELECT * FROM `a.b`", "SELECT * FROM \"t (alias x)\"", "SELECT * FROM `a\nb`", "SELECT `a\\x41`"}) {
    EXPECT_TRUE(refusal_of_names(text)) << text;
  }
}

TEST(Definition, is_of_the_plainest_form) {
  const auto made = read_definition("create table if not exists `d`.t\n(a Int8) ENGINE = Memory");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->table.database + "/" + made->table.table, "d/t");
  EXPECT_TRUE(read_definition("DROP TABLE IF EXISTS t SYNC;"));
  for (const std::string text :
       {"CREATE TABLE t AS u", "CREATE TABLE t ENGINE = Memory AS SELECT 1", "CREATE OR REPLACE TABLE t (a Int8)",
        "CREATE TEMPORARY TABLE t (a Int8)", "CREATE TABLE t UUID 'x' (a Int8)", "DROP TABLE t, u", "DROP VIEW t",
        "DROP DATABASE t", "TRUNCATE t", "CREATE TABLE t ON CLUSTER c (a Int8)", "SELECT 1"}) {
    EXPECT_FALSE(read_definition(text)) << text;
  }
}

TEST(KnownFunctions, are_replaced_where_they_are_calls) {
  const std::vector<std::string> roles{"r"};
  const auto put = [&](const std::string& query) {
    return with_known_functions(query, {.user = "o'x", .roles = roles, .query_id = "id"});
  };
  EXPECT_EQ(put("SELECT currentUser(), 1"), "SELECT ('o\\'x' AS `currentUser()`), 1");
  EXPECT_EQ(put("SELECT queryID ( ) = 'id'"), "SELECT ('id' AS `queryID()`) = 'id'");
  EXPECT_EQ(put("SELECT currentRoles()"), "SELECT (CAST(['r'], 'Array(String)') AS `currentRoles()`)");
  for (const std::string query : {"SELECT 'currentUser()'", "SELECT `currentUser`(1)", "SELECT currentUser",
                                  "SELECT 1 -- queryID()", "SELECT myCurrentUser()", "SELECT currentUser(1)"}) {
    EXPECT_EQ(put(query), query);
  }
}

}  // namespace
}  // namespace marquee::engine
