#include "marquee/clickhouse/row_binary.h"

#include <gtest/gtest.h>

#include <string>

namespace marquee::clickhouse {
namespace {

TEST(RowBinary, reads_numbers_and_text_to_the_end) {
  const std::string bytes(
      "\x07\0\0\0\0\0\0\0\x03"
      "abc"
      "\0",
      13);
  RowBinaryReader reader(bytes);
  EXPECT_EQ(reader.number<std::uint64_t>(), 7U);
  EXPECT_EQ(reader.text(), "abc");
  EXPECT_FALSE(reader.at_end());
  EXPECT_EQ(reader.text(), "");
  EXPECT_TRUE(reader.at_end());
}

TEST(RowBinary, fails_and_stays_failed_where_bytes_are_missing) {
  RowBinaryReader reader(
      std::string_view("\x05"
                       "abc",
                       4));
  EXPECT_FALSE(reader.text());
  EXPECT_TRUE(reader.failed());
  EXPECT_FALSE(reader.number<std::uint8_t>());
  EXPECT_FALSE(reader.at_end());
}

TEST(RowBinary, refuses_a_length_that_never_ends) {
  RowBinaryReader reader("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF");
  EXPECT_FALSE(reader.text());
}

}  // namespace
}  // namespace marquee::clickhouse
