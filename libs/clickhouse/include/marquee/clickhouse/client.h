// The one client of the store: ClickHouse's HTTP protocol.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/http/client.h"

namespace marquee::clickhouse {

using Parameters =
    std::map<std::string, std::string>;  ///< Values of {name:Type}, in ClickHouse's text form (param_name).
using Settings = std::map<std::string, std::string>;  ///< "database" among them replaces the endpoint's.

struct Endpoint {
  std::string url = "http://127.0.0.1:8123";
  std::string user = "default";
  std::string password = {};
  std::string database = "marquee";
  std::vector<std::string> other_replicas = {};  ///< Further URLs of the same shard of a cluster.
  Settings settings = {};                        ///< Of every query that has no other value of them.
};

struct QueryOptions {
  Settings settings = {};
  std::string query_id = {};
  std::string format = "JSONCompact";
  std::int64_t timeout_ms = 60'000;                   ///< 0: as long as the connection lives.
  std::optional<std::size_t> replica = std::nullopt;  ///< This one and no other: 0 is Endpoint::url.
};

/// A result as text cells, for reports and the command line.
struct Table {
  std::vector<std::string> columns;
  std::vector<std::string> types;
  std::vector<std::vector<std::string>> rows;  ///< Cells as ClickHouse's TSV would show them, unescaped; NULL is "\N".
};

/// Reads TabSeparatedWithNamesAndTypes. Fails (Action::retry) where the text was cut off.
[[nodiscard]] Result<Table> parse_table(std::string_view body);

/// A String as a parameter's value: ClickHouse reads parameters as escaped text.
[[nodiscard]] std::string escape_parameter(std::string_view text);

/// Rows that come with a query, which sees them as a table of that name.
struct ExternalTable {
  std::string name;       ///< Letters, digits and '_'.
  std::string structure;  ///< "`a` UInt8, `b` String"
  std::string format;
  std::string data;
};

/// Why an insert failed and whether its rows may have landed.
struct InsertFailure {
  bool may_have_landed = true;  ///< False only where the store surely refused before it wrote.
  Error error;
  int code = 0;  ///< ClickHouse's error code; 0 where it gave none.
  /// The store itself did not answer: the insert may still be on its way to it, and land later.
  [[nodiscard]] bool may_still_arrive() const { return may_have_landed && code == 0; }
};

/// Takes an answer as it comes.
struct AnswerSink {
  /// Once the statement runs: fields of the store's answer (X-ClickHouse-Format). False cancels.
  std::function<bool(const http::Headers& fields)> begin;
  /// False cancels.
  std::function<bool(std::string_view piece)> add;
};

/// Why a statement failed.
struct QueryFailure {
  Error error;             ///< As of query(); of one that its sink cancelled, too.
  int code = 0;            ///< ClickHouse's error code; 0 where it gave none.
  bool has_begun = false;  ///< The sink got some of the answer, the store's words for what went wrong among it.
};

/// Speaks to one replica of a shard until its connection fails. A request that surely was not sent goes to the next one
/// at once; after any other failure only the next request does, as what was sent may still be carried out. Thread safe.
class Client {
 public:
  explicit Client(Endpoint endpoint, http::ClientOptions options = {});
  ~Client();

  /// Runs a statement and gives the body in `options.format`. Errors carry ClickHouse's message and code; those that
  /// may pass (connection, memory, too many queries) are Action::retry, others Action::reject.
  [[nodiscard]] Result<std::string> query(std::string_view sql, const Parameters& parameters = {},
                                          const QueryOptions& options = {});
  /// The same with rows beside it.
  [[nodiscard]] Result<std::string> query_with(std::string_view sql, const ExternalTable& rows,
                                               const QueryOptions& options = {});
  /// Runs a statement and gives its answer to `sink` while it comes, so that nothing holds the whole of it. Blocks
  /// until the end. Gives the fields of the answer.
  [[nodiscard]] std::expected<http::Headers, QueryFailure> stream(std::string_view sql, const QueryOptions& options,
                                                                  const AnswerSink& sink);
  /// Runs a query and gives its rows as text.
  [[nodiscard]] Result<Table> table(std::string_view sql, const Parameters& parameters = {}, QueryOptions options = {});
  /// Runs a statement without result.
  [[nodiscard]] Result<void> execute(std::string_view sql, const Parameters& parameters = {},
                                     QueryOptions options = {});
  /// Inserts `data` (in `format`, e.g. Native) with `statement` = "INSERT INTO t (a, b)". Never gives up waiting on a
  /// living connection: an insert whose end is not known must not be left behind. The body is sent lz4-compressed.
  [[nodiscard]] std::expected<void, InsertFailure> insert(std::string_view statement, std::string_view format,
                                                          std::string_view data, const QueryOptions& options = {});
  /// GET /ping.
  [[nodiscard]] bool ping();

  [[nodiscard]] const Endpoint& endpoint() const;
  /// Of the shard; at least one.
  [[nodiscard]] std::size_t replicas() const;
  /// The one that requests go to now.
  [[nodiscard]] std::size_t replica() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace marquee::clickhouse
