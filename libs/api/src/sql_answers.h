// POST /v1/sql, GET /v1/sql/schema: what people ask the store in its own words.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "answers.h"
#include "marquee/api/sql_reader.h"
#include "marquee/clickhouse/client.h"
#include "marquee/http/server.h"

namespace marquee::api {

/// Each statement is asked as a user of the store that may only read, and it is the store that holds it to that. On
/// threads of their own, so that long statements keep no worker from reports. Thread safe.
class SqlAnswers {
 public:
  /// `store` ends statements whose asker has left.
  SqlAnswers(SqlOptions options, clickhouse::Client& store) : options_(options), store_(store) {}
  ~SqlAnswers() { stop(); }
  SqlAnswers(const SqlAnswers&) = delete;
  SqlAnswers& operator=(const SqlAnswers&) = delete;

  /// As JSON, cut to what a page shows, or whole as a file. 422 with the store's words where it refuses the statement
  /// or cannot finish it, 501 where there is no reader, 503 where many are under way.
  void answer(http::Request request, http::Responder responder);
  /// Tables with columns, and functions, for completion. Blocks while the store answers.
  [[nodiscard]] http::Response schema() const;
  /// Whether the store can read a statement and lets it pass; it is not run. Action::reject with the store's words.
  [[nodiscard]] Result<void> check(const std::string& sql) const;
  /// Ends those under way.
  void stop();

 private:
  enum class Form { json, csv, parquet };
  struct Asked;
  [[nodiscard]] static Result<Asked> read(const http::Request& request);
  void run(const Asked& asked, http::Responder responder);
  /// Calls `ask` on a thread and, once the asker has left, ends what the store does by that name.
  void watch(const std::string& query_id, const std::atomic<bool>& has_left, const std::function<void()>& ask);
  void tell_rows(const Asked& asked, http::Responder& responder);
  void send_file(const Asked& asked, http::Responder& responder);
  [[nodiscard]] http::Response refusal(const Asked& asked, const clickhouse::QueryFailure& failed) const;

  const SqlOptions options_;
  clickhouse::Client& store_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::size_t running_ = 0;  ///< Guarded by mutex_.
  std::atomic<bool> is_stopping_ = false;
};

}  // namespace marquee::api
