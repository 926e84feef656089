// One request from its body to its answer, on a thread that may wait.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "access.h"
#include "answer_writer.h"
#include "marquee/engine/judge.h"
#include "marquee/engine/pool.h"
#include "marquee/engine/request.h"
#include "marquee/engine/statement.h"
#include "marquee/engine/store_server.h"
#include "running_queries.h"

namespace marquee::engine {

/// What the requests of a server share. Thread safe.
struct Shared {
  std::unique_ptr<Pool> pool;
  std::unique_ptr<ReaderPolicy> policy;
  Credentials credentials;
  ReaderLimits reader_limits;
  Identity identity;
  std::size_t max_body_bytes = 0;
  RunningQueries running;
};

/// Runs one request. Used once, by one thread.
class Exchange {
 public:
  Exchange(Shared& shared, StoreRequest request, Role role, AnswerWriter writer);
  /// Runs the statement and answers. `body` is as sent.
  void run(std::string body);

 private:
  Answer<Progress> answer(std::string body);
  Answer<> admit(std::string_view text, const Statement& statement, Connection& connection) const;
  Answer<> admit_reader(std::string_view text, const Statement& statement) const;
  [[nodiscard]] static std::string bounded(const std::string& name, const std::string& value, const Settings& limits);
  Answer<> prepare(Connection& connection) const;
  Answer<> execute(std::string_view text, const Statement& statement, Connection& connection);
  Answer<> execute_kill(const Statement& statement, Connection& connection);
  Answer<> insert(const Statement& statement, std::string_view data, Connection& connection);

  Shared& shared_;
  StoreRequest request_;
  Role role_;
  AnswerWriter writer_;
  std::string query_id_;
};

}  // namespace marquee::engine
