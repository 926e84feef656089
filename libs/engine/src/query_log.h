// The last statements and how they ended, as ClickHouse's own log of queries tells them: the embedded engine keeps
// none.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

#include "marquee/base/result.h"
#include "marquee/engine/failure.h"
#include "marquee/engine/pool.h"

namespace marquee::engine {

/// A statement that has ended.
struct QueryRecord {
  std::chrono::system_clock::time_point begin = std::chrono::system_clock::now();
  std::string query_id;
  std::string user;
  std::string database;
  std::string address;     ///< Of the client.
  std::string user_agent;  ///< As it calls itself.
  bool is_get = false;
  std::string text;
  std::string kind;  ///< "Select", "Insert" ...
  Settings settings;
  Progress used;
  Failure failed{.code = 0, .message = {}};  ///< Code 0: it succeeded.
};

/// Thread safe. What is added waits here, at most so much of it, until it is flushed into system.query_log, a table in
/// memory that keeps the last ones. Both go with the process.
class QueryLog {
 public:
  /// Makes the table.
  [[nodiscard]] static Result<void> create(Pool& pool);
  void add(QueryRecord record);
  void flush(Pool& pool);

 private:
  std::mutex mutex_;
  std::deque<std::string> waiting_;  ///< Rows in JSONEachRow.
};

}  // namespace marquee::engine
