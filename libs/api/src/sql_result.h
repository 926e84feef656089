// The store's answer to a statement, and its words for what is wrong with one, as the API tells them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "answers.h"
#include "marquee/base/result.h"

namespace marquee::api {

/// Of the rows of a result as many as a page can show.
struct SqlLimits {
  std::size_t rows = 10'000;
  std::size_t bytes = std::size_t{16} << 20;  ///< Of the rows as JSON.
};

struct SqlCost {
  double seconds = 0;
  std::uint64_t rows_read = 0;
  std::uint64_t bytes_read = 0;
};

/// Of X-ClickHouse-Summary; zeros where it is not that.
[[nodiscard]] SqlCost sql_cost(std::string_view summary);

/// The schema SqlAnswer of api/openapi.yaml, of an answer in JSONCompactEachRowWithNamesAndTypes.
/// Action::give_up where it is not one.
[[nodiscard]] Result<std::string> sql_answer_json(std::string_view lines, const SqlLimits& limits, const SqlCost& cost);

/// Where a statement is wrong.
struct SqlPlace {
  std::size_t offset = 0;  ///< Characters (code points) before it.
  std::size_t line = 1;
  std::size_t column = 1;  ///< In characters, from 1.
  bool operator==(const SqlPlace&) const = default;
};

/// The place that a message of the store tells, if it does ("failed at position 8": the eighth byte).
[[nodiscard]] std::optional<SqlPlace> sql_place(std::string_view message, std::string_view sql);

/// The message without "Code: 62. DB::Exception: " before it and the version behind it.
[[nodiscard]] std::string sql_message(std::string_view message);

}  // namespace marquee::api
