// What a statement touches, for who may not touch all tables: read from the engine's own EXPLAIN AST, as judge.h reads
// it. All is refused that could name a table in a way that does not show there.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marquee::engine {

/// A name that is, or may be, that of a table.
struct NamedTable {
  std::string database;  ///< Empty: the current one.
  std::string table;
  bool is_certain = true;  ///< Else it may be a column's, or that of a WITH.
};

struct Touched {
  std::optional<std::string> refusal{};  ///< Why nothing of it can be let through.
  std::vector<NamedTable> tables{};
};

/// Of the tree of a query that reads.
[[nodiscard]] Touched touched_by(std::string_view tree);
/// Why the names in `text` could be taken for others, or nothing.
[[nodiscard]] std::optional<std::string> refusal_of_names(std::string_view text);

/// CREATE TABLE, DROP TABLE or TRUNCATE TABLE in its plainest form, without what would read or reach elsewhere.
struct Definition {
  enum class Kind { create, drop, truncate };
  Kind kind = Kind::create;
  NamedTable table;
};
/// Nothing where `text` is no such statement.
[[nodiscard]] std::optional<Definition> read_definition(std::string_view text);
/// Why its tree cannot be let through, or nothing.
[[nodiscard]] std::optional<std::string> refusal_of_definition(std::string_view tree);
/// The table of "INSERT INTO db.t (a, b)"; nothing where its name cannot be told with certainty.
[[nodiscard]] std::optional<NamedTable> insert_target(std::string_view head);

/// Tables of the system that tell nothing about anybody's data.
[[nodiscard]] bool is_for_everybody(const NamedTable& table);

}  // namespace marquee::engine
