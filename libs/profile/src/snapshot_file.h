// A file that is whole under its name or not there: written beside it, checksummed, made durable, renamed.
#pragma once

#include <xxhash.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "marquee/base/result.h"

namespace marquee::profile {

/// Not thread safe. What is not committed leaves no trace, or a file PATH.new that the next one replaces.
class SnapshotWriter {
 public:
  [[nodiscard]] static Result<std::unique_ptr<SnapshotWriter>> create(const std::string& path);
  ~SnapshotWriter();
  SnapshotWriter(const SnapshotWriter&) = delete;
  SnapshotWriter& operator=(const SnapshotWriter&) = delete;

  [[nodiscard]] Result<void> append(std::string_view bytes);
  /// Once; after it the file is durable.
  [[nodiscard]] Result<void> commit();

 private:
  SnapshotWriter(std::string path, int descriptor);
  [[nodiscard]] Result<void> write(std::string_view bytes);

  const std::string path_;
  int descriptor_;
  XXH3_state_t* checksum_;
};

/// The bytes of a committed file, mapped.
class SnapshotReader {
 public:
  /// Null where there is no such file; Action::give_up where it does not fit its checksum.
  [[nodiscard]] static Result<std::unique_ptr<SnapshotReader>> open(const std::string& path);
  ~SnapshotReader();
  SnapshotReader(const SnapshotReader&) = delete;
  SnapshotReader& operator=(const SnapshotReader&) = delete;
  [[nodiscard]] std::string_view bytes() const { return whole_.substr(0, whole_.size() - sizeof(XXH64_hash_t)); }

 private:
  explicit SnapshotReader(std::string_view whole) : whole_(whole) {}
  std::string_view whole_;
};

/// Makes names in the directory durable.
[[nodiscard]] Result<void> sync_directory_of(const std::string& path);
/// "PATH: could not be written: reason", Action::retry.
[[nodiscard]] Error file_error(const std::string& path, std::string_view what);

}  // namespace marquee::profile
