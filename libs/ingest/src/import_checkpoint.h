// How far a file was imported, kept in the data directory so that an import that ended early goes on.
#pragma once

#include <cstdint>
#include <string>

#include "marquee/base/result.h"

namespace marquee::ingest {

/// A file and where its events go: another size, time of change, site or server is another import.
struct ImportedFile {
  std::string path;
  std::string site_id;
  std::string url;
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
};

/// Action::reject where the file cannot be read.
[[nodiscard]] Result<ImportedFile> describe_file(const std::string& path, const std::string& site_id,
                                                 const std::string& url);

/// Name that stays the same for the same file content wherever it lies: base name and size.
[[nodiscard]] std::string file_id(const ImportedFile& file);

/// One file's checkpoint. Not thread safe.
class Checkpoint {
 public:
  /// `directory` empty: nothing is kept.
  Checkpoint(std::string directory, const ImportedFile& file);
  /// Rows that an earlier run had acknowledged, 0 where there was none.
  [[nodiscard]] std::uint64_t load() const;
  /// Atomic; a checkpoint that is lost costs only repeats.
  [[nodiscard]] Result<void> save(std::uint64_t rows) const;

 private:
  std::string directory_;
  std::string path_;
  std::string key_;
};

}  // namespace marquee::ingest
