// What a reader may run. The engine's own parser says what a query is made of (EXPLAIN AST); this reads its tree and
// refuses what reaches outside the data: files, URLs, other servers, models, and the system tables that tell of them.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace marquee::engine {

/// Immutable after construction; thread safe.
class ReaderPolicy {
 public:
  /// `table_functions` are the engine's own (system.table_functions): all but a few harmless ones are refused, so that
  /// a new engine's new ways out are closed until someone opens them.
  explicit ReaderPolicy(const std::vector<std::string>& table_functions);

  /// Why a reader may not run the query whose EXPLAIN AST is `tree`, or nothing.
  [[nodiscard]] std::optional<std::string> refusal(std::string_view tree) const;
  /// Why a reader may not have `database` as the current one, or nothing.
  [[nodiscard]] static std::optional<std::string> refusal_of_database(std::string_view database);
  /// Why a reader may not set a setting, or nothing.
  [[nodiscard]] static std::optional<std::string> refusal_of_setting(std::string_view name);
  /// Why a writer may not set a setting of an insert, or nothing.
  [[nodiscard]] static std::optional<std::string> refusal_of_insert_setting(std::string_view name);
  /// True for the name, perhaps quoted, of a database that is the server's own.
  [[nodiscard]] static bool is_of_the_server(std::string_view name);
  /// True for a table function that makes its rows up, or from its arguments.
  [[nodiscard]] static bool is_harmless_table_function(std::string_view name);
  /// Why the functions of a tree, which is not that of a query, may not be used, or nothing.
  [[nodiscard]] std::optional<std::string> refusal_of_functions(std::string_view tree) const;

 private:
  [[nodiscard]] std::optional<std::string> refusal_of_node(std::string_view node) const;
  std::set<std::string, std::less<>> refused_functions_;  // In lower case.
};

}  // namespace marquee::engine
