// One session of the engine. A connection runs one statement at a time; several run side by side.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "marquee/engine/failure.h"
#include "marquee/engine/library.h"

namespace marquee::engine {

using Parameters = std::vector<std::pair<std::string, std::string>>;  ///< {name:Type} by name; values as escaped text.
using Settings = std::vector<std::pair<std::string, std::string>>;

/// What a statement read and wrote.
struct Progress {
  std::uint64_t read_rows = 0;
  std::uint64_t read_bytes = 0;
  std::uint64_t written_rows = 0;  ///< Those of materialized views among them.
  std::uint64_t written_bytes = 0;
  std::uint64_t result_rows = 0;
  std::uint64_t result_bytes = 0;
  std::uint64_t elapsed_ns = 0;  ///< Filled by who waited.
  // Of statements that ran long enough to be looked at (QueryWatch); else 0.
  std::uint64_t total_rows_to_read = 0;
  std::uint64_t memory_usage = 0;
  std::uint64_t real_time_microseconds = 0;
};

/// What the engine's parser says of a text, without running it.
struct Classification {
  unsigned statements = 0;       ///< 0 where it does not parse.
  bool changes_nothing = false;  ///< SELECT, SHOW, DESCRIBE, EXPLAIN, EXISTS, CHECK.
  bool has_secrets = false;
};

/// Not thread safe: one user at a time. After a failed statement the engine keeps the statement in its list of running
/// ones and part of its answer for the next one, so a connection that failed is `spent` and must be closed.
class Connection {
 public:
  /// Connects with the engine's command-line arguments. The first connection of a process starts the engine with the
  /// data at --path; the others join it. Empty where the engine refuses (it says why on stderr).
  [[nodiscard]] static std::unique_ptr<Connection> open(std::shared_ptr<const Library> library,
                                                        std::vector<std::string> arguments);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Makes `database` current.
  [[nodiscard]] Answer<> use(const std::string& database);
  /// Sets settings for as long as the connection lives.
  [[nodiscard]] Answer<> set(const Settings& settings);

  /// Runs one statement; its whole answer in `format`, unless the statement names another.
  [[nodiscard]] Answer<std::string> query(std::string_view sql, std::string_view format,
                                          const Parameters& parameters = {});
  /// Runs a SELECT and hands over its answer in pieces, each a complete document in its format: right only where
  /// pieces of a format put together are that format (streams_in_pieces). `on_piece` returning false cancels the query.
  [[nodiscard]] Answer<> stream(std::string_view sql, std::string_view format, const Parameters& parameters,
                                const std::function<bool(std::string)>& on_piece);
  /// Runs "INSERT INTO t (a, b)" with `data` in `format`.
  [[nodiscard]] Answer<> insert(std::string_view statement, std::string_view format, const Parameters& parameters,
                                std::string_view data);
  [[nodiscard]] Classification classify(std::string_view sql) const;

  /// Of the last statement that succeeded.
  [[nodiscard]] const Progress& progress() const { return progress_; }
  [[nodiscard]] const std::string& database() const { return database_; }
  /// What the connection's statements have as their log_comment, where they set none: tells them from all others in
  /// the engine's list of running ones, where it gives them names of its own.
  [[nodiscard]] const std::string& mark() const { return mark_; }
  /// True where the next user would see traces of this one.
  [[nodiscard]] bool is_spent() const { return spent_; }
  void spend() { spent_ = true; }
  /// After a failed statement: drops what the engine kept of it, so that what the connection holds for its user
  /// (temporary tables, settings) can be used further. False where the engine does not answer as it should.
  [[nodiscard]] bool settle();

 private:
  struct Handle;
  Connection(std::shared_ptr<const Library> library, std::unique_ptr<Handle> handle);
  Failure fail(const char* text);

  std::shared_ptr<const Library> library_;
  std::unique_ptr<Handle> handle_;
  Progress progress_;
  std::string database_ = "default";
  std::string mark_;
  bool spent_ = false;
};

/// True for formats whose pieces can be put together (TSV, JSONEachRow, Native ...), by their engine's names, without
/// case.
[[nodiscard]] bool streams_in_pieces(std::string_view format);

/// `text` as an SQL string, quoted.
[[nodiscard]] std::string quote_text(std::string_view text);
/// `name` as an SQL name, back-quoted.
[[nodiscard]] std::string quote_name(std::string_view name);

}  // namespace marquee::engine
