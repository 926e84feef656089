// The outline of a statement: enough to route it and to find where an insert's data begins. What a statement may do is
// judged by the engine's own parser (see judge.h), never by this.
#pragma once

#include <cstddef>
#include <string_view>

namespace marquee::engine {

struct Statement {
  enum class Kind {
    empty,
    select,         ///< SELECT, WITH, FROM or a parenthesis.
    insert,         ///< INSERT whose data follows, here or in the request's body; perhaps after WITH.
    insert_infile,  ///< INSERT ... FROM INFILE.
    kill,           ///< KILL QUERY or KILL MUTATION.
    other,          ///< Everything else, INSERT ... SELECT among it.
  };
  Kind kind = Kind::empty;
  std::string_view head{};           ///< insert: the statement without FORMAT, VALUES and data. Else the whole text.
  std::string_view format{};         ///< The FORMAT named in the statement ("Values" for VALUES), or empty.
  std::string_view format_clause{};  ///< Of what gives rows: FORMAT and the name, as they stand in the text.
  std::string_view data{};  ///< insert: what follows FORMAT or VALUES; empty where the statement names neither.
  bool into_outfile = false;
  std::string_view kill_condition{};  ///< kill: the text between WHERE and SYNC, ASYNC, TEST or FORMAT.
  std::string_view kill_before{};     ///< kill: the text up to and with WHERE.
  std::string_view kill_after{};      ///< kill: the text after the condition.
};

/// Reads the outline. The views point into `text`. Never fails: text that is no SQL is Kind::other.
[[nodiscard]] Statement read_statement(std::string_view text);

}  // namespace marquee::engine
