// marquee-store convert: a file that the engine reads, as rows on standard output.
#pragma once

#include <string>

#include "marquee/base/result.h"

namespace marquee::store {

struct ConvertOptions {
  std::string engine;                      ///< libchdb.so; empty: see engine::find_library().
  std::string in;                          ///< Parquet.
  std::string out_format = "JSONEachRow";  ///< One whose pieces can be put together.
};

/// Writes every row of the file, in its order, to standard output; times in UTC. Needs no store and leaves nothing
/// behind.
[[nodiscard]] Result<void> convert(const ConvertOptions& options);

}  // namespace marquee::store
