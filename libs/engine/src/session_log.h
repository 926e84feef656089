// Who began a session, and who was refused: system.session_log, as ClickHouse has it.
#pragma once

#include <deque>
#include <mutex>
#include <string>

#include "marquee/base/result.h"
#include "marquee/engine/failure.h"
#include "marquee/engine/pool.h"
#include "marquee/engine/request.h"

namespace marquee::engine {

/// Thread safe. Holds the last ones in memory; they go with the process.
class SessionLog {
 public:
  /// Makes the table.
  [[nodiscard]] static Result<void> create(Pool& pool);
  /// `refused`: why the user was not let in, or nullptr.
  void add(const StoreRequest& request, const Failure* refused);
  void flush(Pool& pool);

 private:
  std::mutex mutex_;
  std::deque<std::string> waiting_;  ///< Rows in JSONEachRow.
};

}  // namespace marquee::engine
