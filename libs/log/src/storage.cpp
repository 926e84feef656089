#include "storage.h"

#include <fmt/format.h>
#include <rocksdb/convenience.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "blob.h"
#include "marquee/base/logging.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define MARQUEE_THREAD_SANITIZER
#include <mutex>
#endif
#endif

namespace marquee::log {
namespace {

std::string key_of(Offset offset) {
  std::string key(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) key[i] = static_cast<char>(offset >> (56 - 8 * i));
  return key;
}

Offset offset_of(const rocksdb::Slice& key) {
  Offset offset = 0;
  for (std::size_t i = 0; i < key.size() && i < 8; ++i) offset = offset << 8 | static_cast<unsigned char>(key[i]);
  return offset;
}

rocksdb::Options options(std::uint64_t buffer_bytes) {
  rocksdb::Options options;
  options.db_write_buffer_size = buffer_bytes;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  // A tail that a crash tore is cut; whatever fsync had confirmed stands before it.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  options.write_buffer_size = 32U << 20;
  options.max_write_buffer_number = 4;
  options.max_total_wal_size = 256U << 20;
  options.max_background_jobs = 2;
  options.max_open_files = 256;
  options.compression = rocksdb::kLZ4Compression;
  options.keep_log_file_num = 4;
  options.max_log_file_size = 4U << 20;
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.stats_dump_period_sec = 0;
  options.atomic_flush = true;
  return options;
}

}  // namespace

Result<std::unique_ptr<Storage>> Storage::open(const std::string& directory, Partition partitions, bool sync,
                                               std::uint64_t buffer_bytes) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return Error::give_up(fmt::format("cannot make the log's directory {}: {}", directory, error.message()));
  const auto base = options(buffer_bytes);
  std::vector<std::string> present;
  if (rocksdb::DB::ListColumnFamilies(base, directory, &present).ok() && present.size() != partitions + 1)
    return Error::give_up(
        fmt::format("the log {} has {} partitions, {} are configured; the number is fixed once a log exists", directory,
                    present.size() - 1, partitions));
  std::vector<rocksdb::ColumnFamilyDescriptor> families{{rocksdb::kDefaultColumnFamilyName, base}};
  for (Partition p = 0; p < partitions; ++p) families.emplace_back(fmt::format("partition-{}", p), base);
  std::unique_ptr<Storage> storage(new Storage);
  storage->directory_ = directory;
  storage->write_options_.sync = sync;
  rocksdb::DB* db = nullptr;
  const auto status = rocksdb::DB::Open(base, directory, families, &storage->families_, &db);
  storage->db_.reset(db);
  if (auto opened = storage->checked(status, "open"); !opened) return opened.error();
  return storage;
}

Storage::~Storage() {
  if (!db_) return;
  for (auto* family : families_) db_->DestroyColumnFamilyHandle(family);
  db_->Close();
}

Result<void> Storage::checked(const rocksdb::Status& status, std::string_view what) const {
  if (status.ok()) return {};
  auto message = fmt::format("the log {} cannot {}: {}", directory_, what, status.ToString());
  if (status.IsNoSpace() || status.ToString().find("No space left") != std::string::npos)
    return Error::retry(std::move(message));
  return Error::give_up(std::move(message));
}

Result<void> Storage::write(const std::vector<Group>& groups) {
  rocksdb::WriteBatch batch;
  for (const auto& group : groups) batch.Put(families_[group.partition + 1], key_of(group.first), group.blob);
  return checked(apply(batch), "write");
}

Result<void> Storage::sync() { return checked(db_->SyncWAL(), "bring to the disk what it has"); }

rocksdb::Status Storage::apply(rocksdb::WriteBatch& batch) {
#ifdef MARQUEE_THREAD_SANITIZER
  // RocksDB lets one writer carry the batches of others; as it is not instrumented, that looks like a race.
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
#endif
  auto status = db_->Write(write_options_, &batch);
  if (!status.ok() && db_->Resume().ok())
    status = db_->Write(write_options_, &batch);  // After a full disk, once there is room.
  return status;
}

Result<std::optional<std::pair<Offset, std::string>>> Storage::find(Partition partition, Offset offset) const {
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}, families_[partition + 1]));
  it->SeekForPrev(key_of(offset));
  if (it->Valid()) {
    const auto head = read_blob_head({it->value().data(), it->value().size()});
    if (!head)
      return Error::give_up(
          fmt::format("partition {} at offset {}: {}", partition, offset_of(it->key()), head.error().message));
    if (offset_of(it->key()) + head->count <= offset) it->Next();
  } else if (it->status().ok()) {
    it->SeekToFirst();
  }
  if (!it->Valid()) {
    if (auto checked_status = checked(it->status(), "read"); !checked_status) return checked_status.error();
    return std::nullopt;
  }
  return std::pair(offset_of(it->key()), it->value().ToString());
}

Result<Range> Storage::range(Partition partition) const {
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}, families_[partition + 1]));
  Range range;
  it->SeekToFirst();
  if (it->Valid()) {
    range.begin = offset_of(it->key());
    it->SeekToLast();
    const auto head = read_blob_head({it->value().data(), it->value().size()});
    if (!head) return Error::give_up(fmt::format("partition {}, last group: {}", partition, head.error().message));
    range.end = offset_of(it->key()) + head->count;
  }
  if (auto status = checked(it->status(), "read"); !status) return status.error();
  if (auto kept = progress(partition); kept && kept->next > range.end)
    range.begin = range.end = kept->next;  // All trimmed.
  return range;
}

Result<void> Storage::trim(Partition partition, Offset before) {
  auto* family = families_[partition + 1];
  const auto from = key_of(0);
  const auto to = key_of(before);
  const rocksdb::Slice begin(from), end(to);
  // Whole files go at once; what is left in files that reach beyond goes with the next compaction.
  if (auto status = checked(rocksdb::DeleteFilesInRange(db_.get(), family, &begin, &end, false), "trim"); !status)
    return status;
  return checked(db_->DeleteRange({}, family, begin, end), "trim");
}

Result<std::uint64_t> Storage::rewrite(Partition partition, Offset before) {
  // The write-ahead log goes with what it was for: all families, or one of them would keep it.
  if (auto flushed = checked(db_->Flush({}, families_), "write its tables"); !flushed) return flushed.error();
  auto* family = families_[partition + 1];
  const auto from = key_of(0);
  const auto to = key_of(before);
  const rocksdb::Slice begin(from), end(to);
  rocksdb::CompactRangeOptions whole;
  whole.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  if (auto compacted = checked(db_->CompactRange(whole, family, &begin, &end), "write its tables anew"); !compacted)
    return compacted.error();
  const rocksdb::Range range(begin, end);
  std::uint64_t bytes = 0;
  rocksdb::SizeApproximationOptions what;
  what.include_files = true;
  if (!db_->GetApproximateSizes(what, family, &range, 1, &bytes).ok()) return std::uint64_t{0};
  return bytes;
}

std::uint64_t Storage::approximate_bytes(Partition partition) const {
  rocksdb::SizeApproximationOptions what;
  what.include_memtables = true;
  what.include_files = true;
  const auto from = key_of(0);
  const auto to = key_of(UINT64_MAX);
  const rocksdb::Range range(from, to);
  std::uint64_t bytes = 0;
  if (!db_->GetApproximateSizes(what, families_[partition + 1], &range, 1, &bytes).ok()) return 0;
  return bytes;
}

Result<Progress> Storage::progress(Partition partition) const {
  std::string value;
  const auto status = db_->Get({}, families_[0], fmt::format("progress-{}", partition), &value);
  if (status.IsNotFound()) return Progress{};
  if (auto read = checked(status, "read"); !read) return read.error();
  // 24 bytes were written before plans had a planner.
  std::uint64_t numbers[4] = {};
  if (value.size() != sizeof numbers && value.size() != 24)
    return Error::give_up(fmt::format("the progress of partition {} is {} bytes long", partition, value.size()));
  std::memcpy(numbers, value.data(), value.size());
  Progress progress{numbers[0], std::nullopt, numbers[3]};
  if (numbers[1] != numbers[2]) progress.plan = Range{numbers[1], numbers[2]};
  return progress;
}

Result<void> Storage::set_progress(const std::vector<std::pair<Partition, Progress>>& all) {
  rocksdb::WriteBatch batch;
  for (const auto& [partition, progress] : all) {
    const auto plan = progress.plan.value_or(Range{});
    const std::uint64_t numbers[4] = {progress.next, plan.begin, plan.end, progress.planner};
    batch.Put(families_[0], fmt::format("progress-{}", partition),
              rocksdb::Slice(reinterpret_cast<const char*>(numbers), sizeof numbers));
  }
  return checked(apply(batch), "write its progress");
}

}  // namespace marquee::log
