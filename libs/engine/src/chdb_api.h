// The part of libchdb's C interface that Marquee uses, as function pointers found at run time. The types behind the
// handles belong to libchdb; only pointers to them cross this border.
#pragma once

#include <cstddef>
#include <cstdint>

namespace marquee::engine::chdb {

struct OpaqueConnection;
struct OpaqueResult;
struct OpaqueInsert;

using Connection = OpaqueConnection*;
using Result = OpaqueResult*;
using Insert = OpaqueInsert*;

/// What a statement would change, as the engine's own parser sees it (chdb_query_class).
enum class Change : std::uint32_t { nothing = 0, a_database = 1, global = 2, control = 3, unknown = 4 };

/// Filled by chdb_classify_query_n; `size` tells the engine which fields there are.
struct Analysis {
  std::uint32_t size = sizeof(Analysis);
  std::uint32_t statements = 0;
  std::uint32_t flags = 0;
  std::uint32_t change = static_cast<std::uint32_t>(Change::unknown);
};
inline constexpr std::uint32_t kHasSecrets = 1;

/// Named parameters as the engine takes them: parallel arrays of texts and their lengths.
using Texts = const char* const*;
using Lengths = const std::size_t*;

struct Api {
  const char* (*version)();
  void (*set_signal_handlers_enabled)(int);
  Connection* (*connect)(int argc, char** argv);
  void (*close)(Connection*);

  Result (*query)(Connection, const char* sql, std::size_t, const char* format, std::size_t, Texts names, Lengths,
                  Texts values, Lengths, std::size_t count);
  Result (*stream)(Connection, const char* sql, std::size_t, const char* format, std::size_t, Texts names, Lengths,
                   Texts values, Lengths, std::size_t count);
  Result (*fetch)(Connection, Result stream);
  void (*cancel)(Connection, Result stream);

  Insert (*insert)(Connection, const char* sql, std::size_t, const char* format, std::size_t, Texts names, Lengths,
                   Texts values, Lengths, std::size_t count);
  int (*append)(Insert, const void* data, std::size_t);
  Result (*done)(Insert);
  const char* (*insert_error)(Insert);
  void (*destroy_insert)(Insert);

  int (*classify)(Connection, const char* sql, std::size_t, const char* database, std::size_t, Analysis*);

  char* (*buffer)(Result);
  std::size_t (*length)(Result);
  double (*elapsed)(Result);
  std::uint64_t (*rows_read)(Result);  // Of the answer, in spite of the name.
  std::uint64_t (*bytes_read)(Result);
  std::uint64_t (*storage_rows_read)(Result);
  std::uint64_t (*storage_bytes_read)(Result);
  std::uint64_t (*rows_written)(Result);
  std::uint64_t (*bytes_written)(Result);
  const char* (*error)(Result);
  void (*destroy)(Result);
};

}  // namespace marquee::engine::chdb
