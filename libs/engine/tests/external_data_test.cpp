#include "external_data.h"

#include <gtest/gtest.h>

namespace marquee::engine {
namespace {

constexpr std::string_view kForm =
    "--b\r\nContent-Disposition: form-data; name=\"t\"; filename=\"f\"\r\nContent-Type: text/plain\r\n\r\n1\r\n2\r\n"
    "--b\r\ncontent-disposition: form-data; filename=\"x\"; name=\"u\"\r\n\r\n\r\n"
    "--b\r\nContent-Disposition: form-data; name=\"param_x\"\r\n\r\n5\r\n--b--\r\n";

TEST(Form, is_read_part_by_part) {
  const auto parts = read_form(kForm, "b");
  ASSERT_TRUE(parts) << parts.error().message;
  ASSERT_EQ(parts->size(), 3U);
  EXPECT_EQ((*parts)[0].name, "t");
  EXPECT_TRUE((*parts)[0].is_file);
  EXPECT_EQ((*parts)[0].data, "1\r\n2");
  EXPECT_EQ((*parts)[1].name, "u");
  EXPECT_EQ((*parts)[1].data, "");
  EXPECT_FALSE((*parts)[2].is_file);
  EXPECT_EQ((*parts)[2].data, "5");
}

TEST(Form, that_is_cut_anywhere_is_refused) {
  const std::size_t end = kForm.rfind("--\r\n") + 2;  // The line break after the last boundary may be missing.
  for (std::size_t size = 0; size < end; ++size) EXPECT_FALSE(read_form(kForm.substr(0, size), "b")) << size;
  EXPECT_TRUE(read_form(kForm.substr(0, end), "b"));
  EXPECT_FALSE(read_form(kForm, "c"));
  EXPECT_FALSE(read_form(kForm, ""));
}

TEST(ExternalTable, is_made_of_names_and_types_alone) {
  const FormPart part{.name = "t", .is_file = true, .data = "1"};
  const auto columns = [&](const std::string& structure) -> std::string {
    const auto table = read_external_table(part, {{"t_structure", structure}});
    return table ? table->columns : "refused " + std::to_string(table.error().code);
  };
  EXPECT_EQ(columns("a UInt8, `b c` Nullable(String)"), "`a` UInt8, `b c` Nullable(String)");
  EXPECT_EQ(columns("a Enum8('x y' = -1), b Tuple(c String, d Array(UInt8))"),
            "`a` Enum8('x y' = -1), `b` Tuple(`c` String, `d` Array(UInt8))");
  // Found by fuzzing: a label inside a type went into the statement as it was.
  EXPECT_EQ(columns("a Tuple(b;x UInt8)"), "`a` Tuple(`b;x` UInt8)");
  EXPECT_EQ(columns("a Tuple(b UInt8, c/**/d UInt8 DEFAULT 1)"), "refused 36");
  for (const char* structure : {"", "a", "a UInt8 DEFAULT 1", "a UInt8) ENGINE = Memory AS SELECT 1 --",
                                "a UInt8, b String MATERIALIZED file('x')", "a Enum8('x' = f(1))",
                                "a Enum8('x' = 1) DEFAULT 'x'", "a Enum8('\\')' = file('x'))", "a UInt8; DROP TABLE x",
                                "a UInt8 /* x */", "a UInt8 -- x", "a Array(UInt8", "a UInt8, CONSTRAINT x CHECK 1"}) {
    EXPECT_EQ(columns(structure), "refused 36") << structure;
  }
}

TEST(ExternalTable, numbers_columns_that_have_types_alone) {
  const FormPart part{.name = "t", .is_file = true, .data = "1"};
  const auto table = read_external_table(part, {{"t_types", "UInt8,String"}, {"t_format", "CSV"}});
  ASSERT_TRUE(table);
  EXPECT_EQ(table->columns, "`_1` UInt8, `_2` String");
  EXPECT_EQ(table->format, "CSV");
  EXPECT_FALSE(read_external_table(part, {{"t_types", "UInt8"}, {"t_format", "CSV SETTINGS x = 1"}}));
  EXPECT_FALSE(read_external_table({.name = "a b", .is_file = true, .data = ""}, {{"a b_types", "UInt8"}}));
}

}  // namespace
}  // namespace marquee::engine
