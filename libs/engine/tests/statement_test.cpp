#include "marquee/engine/statement.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "marquee/engine/failure.h"
#include "marquee/engine/judge.h"
#include "marquee/engine/request.h"

namespace marquee::engine {
namespace {

using Kind = Statement::Kind;

TEST(Statement, tells_kinds_apart) {
  EXPECT_EQ(read_statement("  -- nothing\n/* here */ ").kind, Kind::empty);
  EXPECT_EQ(read_statement("select 1").kind, Kind::select);
  EXPECT_EQ(read_statement("/* a */ WITH x AS (SELECT 1) SELECT * FROM x").kind, Kind::select);
  EXPECT_EQ(read_statement("(SELECT 1) UNION ALL (SELECT 2)").kind, Kind::select);
  EXPECT_EQ(read_statement("INSERT INTO t VALUES (1)").kind, Kind::insert);
  EXPECT_EQ(read_statement("INSERT INTO t SELECT 1").kind, Kind::other);
  EXPECT_EQ(read_statement("INSERT INTO t (a, b) (SELECT 1, 2)").kind, Kind::other);
  EXPECT_EQ(read_statement("WITH 1 AS x INSERT INTO t FORMAT CSV").kind, Kind::insert);
  EXPECT_EQ(read_statement("WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x").kind, Kind::other);
  EXPECT_EQ(read_statement("WITH insert AS (SELECT 1) SELECT * FROM insert").kind, Kind::select);
  EXPECT_EQ(read_statement("WITH 1 AS insert SELECT insert").kind, Kind::select);
  EXPECT_EQ(read_statement("INSERT INTO t FROM INFILE 'x' FORMAT CSV").kind, Kind::insert_infile);
  EXPECT_EQ(read_statement("KILL QUERY WHERE 1 SYNC").kind, Kind::kill);
  EXPECT_EQ(read_statement("CREATE TABLE t (a Int8) ENGINE = Log").kind, Kind::other);
  EXPECT_EQ(read_statement("\xFF\xFE nonsense").kind, Kind::other);
}

TEST(Statement, finds_where_the_data_of_an_insert_begins) {
  const auto values = read_statement("INSERT INTO db.t (a) VALUES (1), ('FORMAT')");
  EXPECT_EQ(values.head, "INSERT INTO db.t (a) ");
  EXPECT_EQ(values.format, "Values");
  EXPECT_EQ(values.data, " (1), ('FORMAT')");
  const auto lines = read_statement("INSERT INTO t FORMAT JSONEachRow\n{\"a\":1}");
  EXPECT_EQ(lines.format, "JSONEachRow");
  EXPECT_EQ(lines.data, "{\"a\":1}");
  const auto keyword = read_statement("INSERT INTO `format`.`values` FORMAT TSV\n1");
  EXPECT_EQ(keyword.format, "TSV");
  EXPECT_EQ(read_statement("INSERT INTO t;").data, "");
  EXPECT_EQ(read_statement("INSERT INTO t;").head, "INSERT INTO t");
}

TEST(Statement, finds_the_format_of_a_query) {
  EXPECT_EQ(read_statement("SELECT 1 FORMAT CSV").format, "CSV");
  EXPECT_EQ(read_statement("SELECT 1 FORMAT CSV SETTINGS max_threads = 1").format, "CSV");
  EXPECT_EQ(read_statement("SELECT ' FORMAT CSV'").format, "");
  EXPECT_EQ(read_statement("SELECT format FROM t").format, "");
  EXPECT_EQ(read_statement("SELECT 1 AS format").format, "");
  EXPECT_EQ(read_statement("SELECT (SELECT 1 FORMAT CSV)").format, "");
  EXPECT_TRUE(read_statement("SELECT 1 INTO OUTFILE 'x'").into_outfile);
  EXPECT_FALSE(read_statement("SELECT 'INTO OUTFILE'").into_outfile);
}

TEST(Statement, takes_a_kill_apart) {
  const auto kill = read_statement("KILL QUERY WHERE query_id = 'SYNC' AND (a OR b) ASYNC FORMAT TSV");
  EXPECT_EQ(kill.kill_before, "KILL QUERY WHERE");
  EXPECT_EQ(kill.kill_condition, " query_id = 'SYNC' AND (a OR b) ");
  EXPECT_EQ(kill.kill_after, "ASYNC FORMAT TSV");
}

TEST(Lz4, gives_back_what_was_encoded_and_stops_at_a_bomb) {
  EXPECT_TRUE(rc::check([] {
    const auto text = *rc::gen::arbitrary<std::string>();
    const auto frames = encode_lz4_frame(text) + encode_lz4_frame(text);
    RC_ASSERT(decode_lz4_frames(frames, 2 * text.size()).value() == text + text);
  }));
  const auto bomb = encode_lz4_frame(std::string(64 << 20, 'a'));
  EXPECT_FALSE(decode_lz4_frames(bomb, 1 << 20));
  EXPECT_FALSE(decode_lz4_frames(bomb.substr(0, bomb.size() / 2), 128 << 20));
  EXPECT_FALSE(decode_lz4_frames("nonsense", 1 << 20));
}

TEST(Failure, keeps_the_engines_number_and_answers_as_clickhouse_does) {
  EXPECT_EQ(parse_failure("Code: 60. DB::Exception: Unknown table. (UNKNOWN_TABLE)").code, 60);
  EXPECT_EQ(http_status(60), 404U);
  EXPECT_EQ(http_status(516), 403U);
  EXPECT_EQ(http_status(241), 500U);
  EXPECT_EQ(parse_failure("something else").code, parse_failure("").code);
}

class Policy : public ::testing::Test {
 protected:
  ReaderPolicy policy{{"numbers", "file", "url", "remote", "s3", "executable", "someFutureWayOut"}};
};

TEST_F(Policy, lets_a_reader_read) {
  EXPECT_FALSE(
      policy.refusal("SelectWithUnionQuery (children 1)\n ExpressionList\n  TableIdentifier marquee.events\n"));
  EXPECT_FALSE(policy.refusal("SelectWithUnionQuery\n Function numbers (children 1)\n"));
  EXPECT_FALSE(policy.refusal("SelectWithUnionQuery\n TableIdentifier system.tables\n"));
  EXPECT_FALSE(policy.refusal("ShowCreateTableQuery marquee events (children 2)\n Identifier marquee\n"));
}

TEST_F(Policy, refuses_the_servers_tables_where_their_names_stand_apart) {
  EXPECT_TRUE(policy.refusal(
      "ShowCreateTableQuery system query_log (children 2)\n Identifier system\n Identifier query_log\n"));
}

TEST_F(Policy, refuses_every_way_out_also_those_that_come) {
  for (const char* node :
       {"Function file", "Function URL (children 1)", "Function remote", "Function someFutureWayOut (alias x)",
        "TableIdentifier system.query_log", "TableIdentifier system.users", "Identifier system.processes.query",
        "ColumnsApplyTransformer", "Function getServerSetting"}) {
    EXPECT_TRUE(policy.refusal(std::string("SelectWithUnionQuery (children 1)\n ") + node + "\n")) << node;
  }
  for (const char* root :
       {"InsertQuery", "CreateQuery t", "DropQuery", "AlterQuery", "SystemQuery", "KillQueryQuery", "", "UseQuery"}) {
    EXPECT_TRUE(policy.refusal(root)) << root;
  }
  EXPECT_TRUE(ReaderPolicy::refusal_of_database("SYSTEM"));
  EXPECT_FALSE(ReaderPolicy::refusal_of_database("marquee"));
  EXPECT_TRUE(ReaderPolicy::refusal_of_setting("allow_ddl"));
  EXPECT_FALSE(ReaderPolicy::refusal_of_setting("output_format_json_quote_64bit_integers"));
}

}  // namespace
}  // namespace marquee::engine
