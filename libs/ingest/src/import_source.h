// The bytes of a file, decompressed as they are read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "marquee/base/result.h"

namespace marquee::ingest {

/// Reads a file in pieces. Not thread safe.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// The next bytes, at least one; an empty view is the end. Valid until the next call. Action::reject for a stream
  /// that is broken or ends in its middle, Action::give_up for a file that cannot be read.
  [[nodiscard]] virtual Result<std::string_view> read() = 0;
  /// Bytes of the file that were taken so far, for progress.
  [[nodiscard]] virtual std::uint64_t consumed() const = 0;
};

/// Opens `path`; gzip and zstd are known by their first bytes, whatever the name is.
[[nodiscard]] Result<std::unique_ptr<ByteSource>> open_source(const std::string& path);

/// Runs `marquee-store convert` on a Parquet file and reads the NDJSON that it writes.
[[nodiscard]] Result<std::unique_ptr<ByteSource>> open_parquet(const std::string& path,
                                                               const std::string& store_binary);

}  // namespace marquee::ingest
