// Rows of files that hold no events, read as the importers read theirs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"

namespace marquee::ingest {

/// Not thread safe.
class FileRows {
 public:
  enum class Form {
    csv,    ///< As RFC 4180 has it; the header is the first row.
    lines,  ///< Each line is a row of one field. Empty lines are left out.
  };
  virtual ~FileRows() = default;
  /// False at the end. An Error, naming the line, means that the rest cannot be read.
  [[nodiscard]] virtual Result<bool> next() = 0;
  /// Of the last row; valid until the next call of next().
  [[nodiscard]] virtual const std::vector<std::string_view>& fields() const = 0;
  /// Line of the file, from 1, on which the last row begins.
  [[nodiscard]] virtual std::uint64_t line() const = 0;
};

/// Opens `path`; gzip and zstd are known by their first bytes.
[[nodiscard]] Result<std::unique_ptr<FileRows>> open_rows(const std::string& path, FileRows::Form form);

}  // namespace marquee::ingest
