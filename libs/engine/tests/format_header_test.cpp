#include "format_header.h"

#include <gtest/gtest.h>

namespace marquee::engine {
namespace {

using namespace std::string_literals;

TEST(FormatHeader, is_known_by_the_formats_name) {
  for (const char* format :
       {"CSVWithNames", "TSVWithNamesAndTypes", "RowBinaryWithNamesAndTypes", "JSONCompactEachRowWithNames"}) {
    EXPECT_TRUE(repeats_header(format)) << format;
  }
  for (const char* format : {"CSV", "Native", "ParquetWithNames", "CSVWithNamesX", "CSVWithNamesAndTypesX", ""}) {
    EXPECT_FALSE(repeats_header(format)) << format;
  }
}

TEST(FormatHeader, stays_once) {
  HeaderOnce csv("CSVWithNames");
  EXPECT_EQ(csv.pass("\"a\n\"\"b\"\n1\n"), "\"a\n\"\"b\"\n1\n");
  EXPECT_EQ(csv.pass("\"a\n\"\"b\"\n2\n"), "2\n");
  EXPECT_EQ(csv.pass("\n3\n\"a\n\"\"b\"\n"), "\n3\n");
  HeaderOnce binary("RowBinaryWithNamesAndTypes");
  const std::string header =
      "\x01\x01"
      "a\x05UInt8"s;
  EXPECT_EQ(binary.pass(header + "\x07"), header + "\x07");
  EXPECT_EQ(binary.pass(header + "\x08"), "\x08");
  HeaderOnce tabs("TSVWithNamesAndTypes");
  EXPECT_EQ(tabs.pass("a\nUInt8\n1\n"), "a\nUInt8\n1\n");
  EXPECT_EQ(tabs.pass("a\nUInt8\n2\n"), "2\n");
}

}  // namespace
}  // namespace marquee::engine
