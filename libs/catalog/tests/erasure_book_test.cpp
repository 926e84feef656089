#include "marquee/catalog/erasure_book.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>

#include "catalog_file.h"

namespace marquee::catalog {
namespace {

constexpr std::uint64_t kAnasKey = 0xA1B2'C3D4'E5F6'0718;

class ErasureBookTest : public CatalogFileTest {
 protected:
  ErasureBook book() { return ErasureBook(*catalog_); }
  Erasure added(std::int64_t asked_ms) {
    Erasure erasure;
    erasure.site_id = "campus";
    erasure.user_key = kAnasKey;
    erasure.asked_ms = asked_ms;
    erasure.asked_by = "test";
    erasure.parts_total = 10;
    EXPECT_TRUE(book().add(erasure));
    return erasure;
  }
  /// Whether a file of the database has it.
  bool has(const std::string& bytes) const {
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::ifstream file(path_.string() + suffix, std::ios::binary);
      const std::string content{std::istreambuf_iterator<char>(file), {}};
      if (content.find(bytes) != std::string::npos) return true;
    }
    return false;
  }
};

TEST_F(ErasureBookTest, keeps_jobs_and_how_far_they_are_over_a_restart) {
  auto later = added(2'000);
  const auto first = added(1'000);
  EXPECT_EQ(first.id.size(), 16U);
  EXPECT_NE(first.id, later.id);
  later.step = "rows";
  later.parts_done = 4;
  later.plan = R"({"days":["20260131"]})";
  later.receipt = R"({"events":7})";
  later.error = "the store is away";
  ASSERT_TRUE(book().update(later));
  open();
  const auto open_ones = book().open();
  ASSERT_TRUE(open_ones);
  ASSERT_EQ(open_ones->size(), 2U);
  EXPECT_EQ(open_ones->front().id, first.id);
  const auto& kept = open_ones->back();
  EXPECT_EQ(kept.user_key, kAnasKey);
  EXPECT_EQ(kept.step, "rows");
  EXPECT_EQ(kept.parts_done, 4U);
  EXPECT_EQ(kept.plan, later.plan);
  EXPECT_EQ(kept.receipt, later.receipt);
  EXPECT_EQ(kept.error, later.error);
  EXPECT_EQ(book().list(1)->front().id, later.id);
  EXPECT_FALSE(*book().find("nobody's"));
}

TEST_F(ErasureBookTest, no_byte_of_the_key_is_left_once_it_is_done) {
  auto erasure = added(1'000);
  erasure.plan = R"({"days":["20260131"]})";
  ASSERT_TRUE(book().update(erasure));
  const auto hex = fmt::format("{:016x}", kAnasKey);
  EXPECT_TRUE(has(hex));
  erasure.receipt = R"({"events":7})";
  const auto finished = book().finish(erasure);
  ASSERT_TRUE(finished) << finished.error().message;
  EXPECT_FALSE(has(hex));
  EXPECT_FALSE(has("20260131"));
  open();
  EXPECT_FALSE(has(hex));
  const auto kept = *book().find(erasure.id);
  ASSERT_TRUE(kept);
  EXPECT_TRUE(kept->is_done);
  EXPECT_EQ(kept->user_key, 0U);
  EXPECT_EQ(kept->receipt, erasure.receipt);
  EXPECT_EQ(kept->parts_done, 10U);
  EXPECT_GT(kept->done_ms, 0);
  EXPECT_TRUE(book().open()->empty());
  // What is done stays as it is.
  erasure.is_done = false;
  erasure.receipt = "{}";
  ASSERT_TRUE(book().update(erasure));
  EXPECT_EQ((*book().find(erasure.id))->receipt, R"({"events":7})");
}

TEST_F(ErasureBookTest, is_done_while_another_process_has_the_catalog_open) {
  auto erasure = added(1'000);
  auto other = Catalog::open(path_.string());
  ASSERT_TRUE(other);
  EXPECT_TRUE(book().finish(erasure));
  EXPECT_TRUE((*ErasureBook(**other).find(erasure.id))->is_done);
}

}  // namespace
}  // namespace marquee::catalog
