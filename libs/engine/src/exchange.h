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
#include "marquee/engine/users.h"
#include "query_log.h"
#include "query_watch.h"
#include "quotas.h"
#include "running_queries.h"
#include "scope_judge.h"
#include "session_log.h"
#include "sessions.h"

namespace marquee::engine {

inline constexpr std::size_t kMostSessions = 1'000;

/// What the requests of a server share. Thread safe.
struct Shared {
  std::unique_ptr<Pool> pool;
  std::unique_ptr<ReaderPolicy> policy;
  std::unique_ptr<Access> access;
  Identity identity;
  std::size_t max_body_bytes = 0;
  RunningQueries running;
  Sessions sessions{kMostSessions};
  Quotas quotas;
  QueryLog log;
  SessionLog logins;
  std::unique_ptr<QueryWatch> watch;  ///< Asks `pool`.
};

/// Runs one request. Used once, by one thread.
class Exchange {
 public:
  Exchange(Shared& shared, StoreRequest request, Caller caller, AnswerWriter writer);
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
  void log(const Answer<Progress>& done);
  Answer<> read(std::string body, Work& work);
  Answer<> read_tables(std::string body, Work& work);
  Answer<Progress> run_alone(const Work& work, Pool::Lease connection);
  Answer<Progress> run_in_session(const Work& work);
  Answer<Progress> run_lasting(const Work& work, Connection& connection, bool& is_lost);
  Answer<Progress> perform(const Work& work, Connection& connection);
  [[nodiscard]] std::string own_mark() const;
  [[nodiscard]] QueryWatch::Statement watched(const Work& work, const Connection& connection);
  Answer<> admit(std::string_view text, const Statement& statement, Connection& connection);
  Answer<> admit_reader(std::string_view text, const Statement& statement) const;
  Answer<> admit_writer(const Statement& statement) const;
  Answer<> admit_definition(std::string_view text) const;
  [[nodiscard]] bool defines(std::string_view text) const;
  [[nodiscard]] Answer<> admit_touched(std::string_view tree, Connection& judge) const;
  [[nodiscard]] bool may_touch(Privilege privilege, const NamedTable& table) const;
  [[nodiscard]] std::string current_database() const;
  [[nodiscard]] std::unexpected<Failure> denied(std::string_view why) const;
  [[nodiscard]] bool adds_rows(const Statement& statement) const;
  [[nodiscard]] Settings wanted_settings() const;
  Answer<Progress> run_access(AccessStatement statement);
  Answer<Progress> list_access(const AccessStatement& statement);
  Answer<> restrict(const Statement& statement, Connection& connection) const;
  Answer<> execute(std::string_view text, const Statement& statement, Connection& connection);
  [[nodiscard]] std::vector<std::string> column_types(std::string_view text) const;
  Answer<> execute_kill(const Statement& statement, Connection& connection);
  Answer<> insert(const Statement& statement, std::string_view data, Connection& connection);

  Shared& shared_;
  StoreRequest request_;
  Caller caller_;
  AnswerWriter writer_;
  std::string query_id_;
  bool gives_rows_ = true;  ///< Also where there are none to give.
  std::optional<std::string> unclear_names_{};
  bool defines_ = false;  ///< A guest's CREATE TABLE, DROP TABLE or TRUNCATE.
  QueryRecord record_;
};

}  // namespace marquee::engine
