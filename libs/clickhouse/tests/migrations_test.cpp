#include "marquee/clickhouse/migrations.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace marquee::clickhouse {
namespace {

TEST(Migrations, are_built_in_by_number_without_gaps_and_with_checksums) {
  const auto& all = built_in_migrations();
  ASSERT_GE(all.size(), 2U);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].number, i + 1);
    EXPECT_EQ(all[i].checksum, migration_checksum(all[i].sql));
    EXPECT_EQ(all[i].checksum.size(), 32U);
  }
  EXPECT_EQ(all[0].name, "events");
}

TEST(Migrations, are_split_at_lines_that_end_in_a_semicolon_without_their_comments) {
  const auto statements =
      split_statements("-- a;\nCREATE TABLE t\n(\n    -- why;\n    a String -- not; here\n);\n\nSELECT 1;\n");
  ASSERT_EQ(statements.size(), 2U);
  EXPECT_EQ(statements[0], "CREATE TABLE t\n(\n    a String -- not; here\n)\n");
  EXPECT_EQ(statements[1], "SELECT 1\n");
}

TEST(Migrations, hold_only_statements_that_may_run_twice) {
  for (const auto& migration : built_in_migrations()) {
    for (const auto& statement : split_statements(migration.sql)) {
      constexpr std::array kRepeatable = {"IF NOT EXISTS", " MODIFY QUERY", " MODIFY SETTING", " MODIFY COLUMN",
                                          " MATERIALIZE PROJECTION"};
      const bool is_repeatable = std::ranges::any_of(
          kRepeatable, [&](const char* words) { return statement.find(words) != std::string::npos; });
      EXPECT_TRUE(is_repeatable) << migration.name << ":\n" << statement;
    }
  }
}

}  // namespace
}  // namespace marquee::clickhouse
