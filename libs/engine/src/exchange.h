// One request from its body to its answer, on a thread that may wait.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "access.h"
#include "answer_writer.h"
#include "external_data.h"
#include "marquee/engine/judge.h"
#include "marquee/engine/pool.h"
#include "marquee/engine/request.h"
#include "marquee/engine/statement.h"
#include "marquee/engine/store_server.h"
#include "running_queries.h"
#include "sessions.h"

namespace marquee::engine {

inline constexpr std::size_t kMostSessions = 1'000;

/// What the requests of a server share. Thread safe.
struct Shared {
  std::unique_ptr<Pool> pool;
  std::unique_ptr<ReaderPolicy> policy;
  Credentials credentials;
  ReaderLimits reader_limits;
  Identity identity;
  std::size_t max_body_bytes = 0;
  RunningQueries running;
  Sessions sessions{kMostSessions};
};

/// Runs one request. Used once, by one thread.
class Exchange {
 public:
  Exchange(Shared& shared, StoreRequest request, Role role, AnswerWriter writer);
  /// Runs the statement and answers. `body` is as sent.
  void run(std::string body);

 private:
  /// A statement with what it needs to run.
  struct Work {
    std::string text;
    Statement statement;
    std::string body;       ///< What `data` and the data of `tables` point into.
    std::string_view data;  ///< Of an insert.
    std::vector<ExternalTable> tables;
  };

  Answer<Progress> answer(std::string body);
  Answer<> read(std::string body, Work& work);
  Answer<> read_tables(std::string body, Work& work);
  Answer<Progress> run_alone(const Work& work, Pool::Lease connection);
  Answer<Progress> run_in_session(const Work& work);
  Answer<Progress> run_lasting(const Work& work, Connection& connection, bool& is_lost);
  Answer<Progress> perform(const Work& work, Connection& connection);
  Answer<> admit(std::string_view text, const Statement& statement, Connection& connection) const;
  Answer<> admit_reader(std::string_view text, const Statement& statement) const;
  [[nodiscard]] static std::string bounded(const std::string& name, const std::string& value, const Settings& limits);
  [[nodiscard]] Settings wanted_settings() const;
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
