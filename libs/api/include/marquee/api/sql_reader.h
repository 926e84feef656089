// Who asks the store what people write in the console's SQL editor.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "marquee/base/result.h"
#include "marquee/clickhouse/client.h"

namespace marquee::api {

inline constexpr const char* kSqlReader = "analyst";  ///< The user's name in Marquee's own store.

/// Tables of database marquee that an analyst may read: what was measured and decided. Not among them is what is the
/// loaders' own business, and what only admins may see: dead letters, which hold events as they were sent, users' ids
/// with them, and whose erasure is under way.
[[nodiscard]] std::span<const std::string_view> sql_tables();

/// Makes that user in Marquee's own store, or gives it this password; it may read sql_tables() and nothing else. For an
/// administrator of the store, after the schema is there.
[[nodiscard]] Result<void> make_sql_reader(clickhouse::Client& store, std::string_view password);

/// How statements of people are asked.
struct SqlOptions {
  clickhouse::Client* reader = nullptr;           ///< As a user that may only read. Null: there is no such user.
  std::span<const std::string_view> tables = {};  ///< What completion shows; empty: all that the reader sees.
  std::int64_t seconds = 30;                      ///< That a statement has; one whose answer is a file has twice that.
};

}  // namespace marquee::api
