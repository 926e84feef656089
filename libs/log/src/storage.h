// The embedded store under the local log: RocksDB, a column family per partition and one for the consumer's progress.
#pragma once

#include <rocksdb/db.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/log/event_log.h"

namespace marquee::log {

/// One blob of a partition, to be written in a group.
struct Group {
  Partition partition = 0;
  Offset first = 0;
  std::string blob;
};

/// Thread safe. Blobs are keyed by the offset of their first record.
class Storage {
 public:
  /// Opens or makes the store for so many partitions. `buffer_bytes` bounds what it holds in memory before it writes a
  /// table file.
  [[nodiscard]] static Result<std::unique_ptr<Storage>> open(const std::string& directory, Partition partitions,
                                                             bool sync, std::uint64_t buffer_bytes);
  ~Storage();

  /// Writes all groups in one step, durably where `sync`. Action::retry when the disk is full.
  [[nodiscard]] Result<void> write(const std::vector<Group>& groups);
  /// Makes durable what was written. Who writes meanwhile does not wait for it.
  [[nodiscard]] Result<void> sync();
  /// The blob that holds `offset` or the first after it; nullopt beyond the end.
  [[nodiscard]] Result<std::optional<std::pair<Offset, std::string>>> find(Partition partition, Offset offset) const;
  /// Offsets from the first record kept to one past the last.
  [[nodiscard]] Result<Range> range(Partition partition) const;
  /// Removes every blob that begins before `before`, and gives its disk space back.
  [[nodiscard]] Result<void> trim(Partition partition, Offset before);
  /// Writes every file anew that holds blobs which begin before `before`, so that no file has what was overwritten or
  /// trimmed there; returns the bytes that were written.
  [[nodiscard]] Result<std::uint64_t> rewrite(Partition partition, Offset before);
  [[nodiscard]] std::uint64_t approximate_bytes(Partition partition) const;

  [[nodiscard]] Result<Progress> progress(Partition partition) const;
  /// All of them in one durable write.
  [[nodiscard]] Result<void> set_progress(const std::vector<std::pair<Partition, Progress>>& all);

 private:
  Storage() = default;
  [[nodiscard]] rocksdb::Status apply(rocksdb::WriteBatch& batch);
  [[nodiscard]] Result<void> checked(const rocksdb::Status& status, std::string_view what) const;

  std::string directory_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;  ///< [0] is progress; partition p is [p + 1].
  rocksdb::WriteOptions write_options_;
};

}  // namespace marquee::log
