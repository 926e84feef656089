#include "sql_result.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace marquee::api {
namespace {

constexpr std::string_view kTwoRows = "[\"a\", \"b\"]\n[\"UInt64\", \"String\"]\n[\"1\", \"x\\ny\"]\n[\"2\", null]\n";

TEST(SqlResult, is_the_stores_rows_with_their_columns) {
  const auto text = sql_answer_json(kTwoRows, {}, {.seconds = 0.5, .rows_read = 7, .bytes_read = 9});
  ASSERT_TRUE(text) << text.error().message;
  const auto answer = Json::parse(*text);
  EXPECT_EQ(
      answer.dump(),
      R"({"columns":[{"name":"a","type":"UInt64"},{"name":"b","type":"String"}],"rows":[["1","x\ny"],["2",null]],)"
      R"("cut":null,"seconds":0.5,"rows_read":7,"bytes_read":9})");
}

TEST(SqlResult, tells_by_what_it_is_cut_and_not_that_it_is_where_all_rows_fit) {
  const auto cut_at = [](SqlLimits limits) {
    const auto answer = Json::parse(*sql_answer_json(kTwoRows, limits, {}));
    return fmt::format("{} {}", answer.at("rows").size(), answer.at("cut").dump());
  };
  EXPECT_EQ(cut_at({.rows = 2, .bytes = 1000}), "2 null");
  EXPECT_EQ(cut_at({.rows = 1, .bytes = 1000}), "1 \"rows\"");
  EXPECT_EQ(cut_at({.rows = 2, .bytes = 15}), "1 \"bytes\"");
  EXPECT_EQ(cut_at({.rows = 2, .bytes = 1}), "0 \"bytes\"");
}

TEST(SqlResult, of_no_rows_has_columns_and_of_nothing_has_none) {
  EXPECT_EQ(Json::parse(*sql_answer_json("[\"a\"]\n[\"UInt8\"]\n", {}, {})).at("columns").size(), 1U);
  EXPECT_EQ(Json::parse(*sql_answer_json("", {}, {})).at("rows").dump(), "[]");
}

TEST(SqlResult, that_is_no_answer_of_the_format_is_an_error) {
  for (const auto* lines : {"[\"a\"]\n", "[\"a\"]\n[]\n", "nonsense\nnonsense\n", "[\"a\"]"})
    EXPECT_FALSE(sql_answer_json(lines, {}, {})) << lines;
}

TEST(SqlCost, is_read_from_the_stores_summary) {
  const auto cost = sql_cost(R"({"read_rows":"12","read_bytes":"345","elapsed_ns":"1500000000"})");
  EXPECT_EQ(cost.rows_read, 12U);
  EXPECT_EQ(cost.bytes_read, 345U);
  EXPECT_DOUBLE_EQ(cost.seconds, 1.5);
  for (const auto* none : {"", "[]", "{}", R"({"read_rows":12})"}) EXPECT_EQ(sql_cost(none).rows_read, 0U) << none;
}

TEST(SqlPlace, counts_characters_and_lines_where_the_store_counts_bytes) {
  const std::string sql = "SELECT 'ü🙂',\n (x";
  const auto place = [&](std::size_t byte) { return sql_place(fmt::format("failed at position {} (x)", byte), sql); };
  EXPECT_EQ(place(1), (SqlPlace{.offset = 0, .line = 1, .column = 1}));
  EXPECT_EQ(place(sql.find('\'', 9) + 1), (SqlPlace{.offset = 10, .line = 1, .column = 11}));
  EXPECT_EQ(place(sql.find('x') + 1), (SqlPlace{.offset = 15, .line = 2, .column = 3}));
  EXPECT_EQ(place(1000), (SqlPlace{.offset = 16, .line = 2, .column = 4})) << "beyond the end is the end";
}

TEST(SqlPlace, is_none_where_the_store_tells_none) {
  for (const auto* message :
       {"", "Unknown table", "failed at position", "failed at position x", "failed at position 0"})
    EXPECT_FALSE(sql_place(message, "SELECT 1")) << message;
}

TEST(SqlMessage, is_what_the_store_says_without_its_frame) {
  EXPECT_EQ(sql_message("Code: 62. DB::Exception: Syntax error: at 1. (SYNTAX_ERROR) (version 25.1.2)"),
            "Syntax error: at 1. (SYNTAX_ERROR)");
  EXPECT_EQ(sql_message("the store does not answer"), "the store does not answer");
}

}  // namespace
}  // namespace marquee::api
