#include "marquee/ingest/file_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace marquee::ingest {
namespace {

using ::testing::ElementsAre;

class FileRowsTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(::mkdtemp(directory_), nullptr); }
  void TearDown() override {
    ::unlink(path_.c_str());
    ::rmdir(directory_);
  }
  std::unique_ptr<FileRows> open(const std::string& text, FileRows::Form form) {
    path_ = std::string(directory_) + "/rows";
    std::ofstream(path_, std::ios::binary) << text;
    auto rows = open_rows(path_, form);
    EXPECT_TRUE(rows);
    return std::move(*rows);
  }

 private:
  char directory_[32] = "/tmp/file-rows-XXXXXX";
  std::string path_;
};

TEST_F(FileRowsTest, gives_lines_with_their_numbers_and_leaves_empty_ones_out) {
  const std::string wide(600'000, 'x');  // More than is read at once.
  const auto rows = open("a\n\n  \r\n" + wide + "\nlast", FileRows::Form::lines);
  ASSERT_TRUE(*rows->next());
  EXPECT_THAT(rows->fields(), ElementsAre("a"));
  ASSERT_TRUE(*rows->next());
  EXPECT_THAT(rows->fields(), ElementsAre(wide));
  EXPECT_EQ(rows->line(), 4U);
  ASSERT_TRUE(*rows->next());
  EXPECT_THAT(rows->fields(), ElementsAre("last"));
  EXPECT_EQ(rows->line(), 5U);
  EXPECT_FALSE(*rows->next());
}

TEST_F(FileRowsTest, gives_csv_rows_of_which_the_first_is_the_header) {
  const auto rows = open("a,b\n1,\"2\n3\"\n4,5\n", FileRows::Form::csv);
  ASSERT_TRUE(*rows->next());
  EXPECT_THAT(rows->fields(), ElementsAre("a", "b"));
  ASSERT_TRUE(*rows->next());
  EXPECT_THAT(rows->fields(), ElementsAre("1", "2\n3"));
  ASSERT_TRUE(*rows->next());
  EXPECT_EQ(rows->line(), 4U);
  EXPECT_FALSE(*rows->next());
}

TEST(FileRows, opens_what_is_packed_and_names_what_is_not_there) {
  const auto packed = open_rows(MARQUEE_SOURCE_DIR "/data/open_bandit/bts/men/men.csv.gz", FileRows::Form::csv);
  ASSERT_TRUE(packed);
  ASSERT_TRUE(*(*packed)->next());
  EXPECT_EQ((*packed)->fields()[2], "item_id");
  const auto missing = open_rows("/nowhere/rows.csv", FileRows::Form::csv);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, ::testing::HasSubstr("/nowhere/rows.csv"));
}

}  // namespace
}  // namespace marquee::ingest
