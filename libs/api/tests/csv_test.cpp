#include "csv.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace marquee::api {
namespace {

/// A table of one column of text.
std::string csv_of_text(const std::string& text) { return csv_of({{{"a", CellType::text}}, {{text}}}); }

/// RFC 4180 as its grammar says it; text of unquoted cells that hold nothing is told apart by nobody here.
std::vector<std::vector<std::string>> read(std::string_view csv) {
  std::vector<std::vector<std::string>> rows(1, std::vector<std::string>(1));
  bool is_quoted = false;
  for (std::size_t i = 0; i < csv.size(); ++i) {
    auto& cell = rows.back().back();
    if (is_quoted) {
      if (csv[i] != '"') {
        cell += csv[i];
      } else if (i + 1 < csv.size() && csv[i + 1] == '"') {
        cell += csv[++i];
      } else {
        is_quoted = false;
      }
    } else if (csv[i] == '"') {
      EXPECT_TRUE(cell.empty()) << "a quote within a cell that is not quoted";
      is_quoted = true;
    } else if (csv[i] == ',') {
      rows.back().emplace_back();
    } else if (csv.substr(i, 2) == "\r\n") {
      rows.emplace_back(1);
      ++i;
    } else {
      cell += csv[i];
    }
  }
  rows.pop_back();
  return rows;
}

TEST(Csv, quotes_what_needs_it_and_tells_null_from_empty) {
  const ReportTable table{{{"name", CellType::text}, {"n", CellType::count}, {"share", CellType::real}},
                          {{"a,\"b\"", 3, 0.25}, {"", nullptr, -0.5}, {"line\r\nline", 18446744073709551615ULL, 1e-7}}};
  EXPECT_EQ(csv_of(table),
            "name,n,share\r\n\"a,\"\"b\"\"\",3,0.25\r\n\"\",,-0.5\r\n\"line\r\nline\",18446744073709551615,1e-07\r\n");
}

TEST(Csv, guards_every_text_that_a_spreadsheet_takes_for_a_formula) {
  for (const std::string text :
       {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "＝1", "＋1", "－1", "＠1"})
    EXPECT_EQ(read(csv_of_text(text)).back().front(), "'" + text);
  for (const std::string text : {"a=1", "1-1", "law", " law", ""})
    EXPECT_EQ(read(csv_of_text(text)).back().front(), text);
  EXPECT_EQ(csv_of({{{"=cmd", CellType::text}}, {}}), "'=cmd\r\n");
}

TEST(Csv, replaces_what_is_no_utf8) { EXPECT_EQ(csv_of_text("a\xff"), "a\r\na\xef\xbf\xbd\r\n"); }

RC_GTEST_PROP(Csv, is_read_back_as_it_was_but_for_the_guard, ()) {
  const auto letters = rc::gen::container<std::string>(rc::gen::element(',', '"', '\r', '\n', 'a', '=', ' ', '\''));
  const auto texts = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(letters));
  ReportTable table{{{"a", CellType::text}, {"b", CellType::text}}, {}};
  for (const auto& text : texts) table.rows.push_back({text, "z"});
  const auto rows = read(csv_of(table));
  RC_ASSERT(rows.size() == texts.size() + 1);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    RC_ASSERT(rows[i + 1].size() == 2U);
    RC_ASSERT(rows[i + 1][0] == texts[i] || rows[i + 1][0] == "'" + texts[i]);
  }
}

}  // namespace
}  // namespace marquee::api
