// bench_log_stores [directory] [groups]: the local log's work on RocksDB, LMDB and SQLite, as libs/log/README.md
// reports it. Each appends groups of events (four partitions of 8 KiB, one fsync a group), reads them back in order,
// lets the older half go, and says what that cost. The disk is that of `directory`.
#include <fmt/format.h>
#include <lmdb.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <sqlite3.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kPartitions = 4;
constexpr std::size_t kBlobBytes = 8 * 1024;

std::string key_of(std::uint64_t number) {
  std::string key(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) key[i] = static_cast<char>(number >> (56 - 8 * i));
  return key;
}

void require(bool good, const std::string& what) {
  if (!good) throw std::runtime_error(what);
}

/// What the local log asks of a store. Groups are numbered from 0 in each partition.
class Store {
 public:
  virtual ~Store() = default;
  virtual void append(std::uint64_t number,
                      const std::string& blob) = 0;         ///< To every partition, durably, in one step.
  virtual std::size_t read_all(std::size_t partition) = 0;  ///< Bytes, in order.
  virtual void trim(std::uint64_t before) = 0;
};

class RocksStore final : public Store {
 public:
  explicit RocksStore(const std::string& directory) {
    rocksdb::Options options;
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    options.compression = rocksdb::kLZ4Compression;
    options.write_buffer_size = 32U << 20;
    options.max_write_buffer_number = 4;
    std::vector<rocksdb::ColumnFamilyDescriptor> families{{rocksdb::kDefaultColumnFamilyName, options}};
    for (std::size_t p = 0; p < kPartitions; ++p) families.emplace_back(std::to_string(p), options);
    rocksdb::DB* db = nullptr;
    const auto status = rocksdb::DB::Open(options, directory, families, &families_, &db);
    require(status.ok(), status.ToString());
    db_.reset(db);
  }
  ~RocksStore() override {
    for (auto* family : families_) db_->DestroyColumnFamilyHandle(family);
  }
  void append(std::uint64_t number, const std::string& blob) override {
    rocksdb::WriteBatch batch;
    for (std::size_t p = 0; p < kPartitions; ++p) batch.Put(families_[p + 1], key_of(number), blob);
    rocksdb::WriteOptions options;
    options.sync = true;
    require(db_->Write(options, &batch).ok(), "write");
  }
  std::size_t read_all(std::size_t partition) override {
    const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator({}, families_[partition + 1]));
    std::size_t bytes = 0;
    for (it->SeekToFirst(); it->Valid(); it->Next()) bytes += it->value().size();
    return bytes;
  }
  void trim(std::uint64_t before) override {
    const auto from = key_of(0);
    const auto to = key_of(before);
    const rocksdb::Slice begin(from);
    const rocksdb::Slice end(to);
    for (std::size_t p = 0; p < kPartitions; ++p) {
      require(rocksdb::DeleteFilesInRange(db_.get(), families_[p + 1], &begin, &end, false).ok(), "trim");
      require(db_->DeleteRange({}, families_[p + 1], begin, end).ok(), "trim");
    }
  }

 private:
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
};

class LmdbStore final : public Store {
 public:
  explicit LmdbStore(const std::string& directory) {
    std::filesystem::create_directories(directory);
    check(mdb_env_create(&env_));
    check(mdb_env_set_mapsize(env_, std::size_t{64} << 30));
    check(mdb_env_set_maxdbs(env_, kPartitions));
    check(mdb_env_open(env_, directory.c_str(), 0, 0644));
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, 0, &txn));
    for (std::size_t p = 0; p < kPartitions; ++p)
      check(mdb_dbi_open(txn, std::to_string(p).c_str(), MDB_CREATE, &tables_[p]));
    check(mdb_txn_commit(txn));
  }
  ~LmdbStore() override { mdb_env_close(env_); }
  void append(std::uint64_t number, const std::string& blob) override {
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, 0, &txn));
    auto key = key_of(number);
    MDB_val k{key.size(), key.data()};
    MDB_val v{blob.size(), const_cast<char*>(blob.data())};  // mdb_put copies from it.
    for (const MDB_dbi table : tables_) check(mdb_put(txn, table, &k, &v, MDB_APPEND));
    check(mdb_txn_commit(txn));
  }
  std::size_t read_all(std::size_t partition) override {
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &txn));
    MDB_cursor* cursor = nullptr;
    check(mdb_cursor_open(txn, tables_[partition], &cursor));
    MDB_val k;
    MDB_val v;
    std::size_t bytes = 0;
    while (mdb_cursor_get(cursor, &k, &v, MDB_NEXT) == 0)
      bytes += std::string(static_cast<const char*>(v.mv_data), v.mv_size).size();
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    return bytes;
  }
  void trim(std::uint64_t before) override {
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, 0, &txn));
    for (const MDB_dbi table : tables_) {
      MDB_cursor* cursor = nullptr;
      check(mdb_cursor_open(txn, table, &cursor));
      MDB_val k;
      MDB_val v;
      const auto end = key_of(before);
      while (mdb_cursor_get(cursor, &k, &v, MDB_FIRST) == 0 &&
             std::string(static_cast<const char*>(k.mv_data), k.mv_size) < end) {
        check(mdb_cursor_del(cursor, 0));
      }
      mdb_cursor_close(cursor);
    }
    check(mdb_txn_commit(txn));
  }

 private:
  static void check(int code) { require(code == 0, mdb_strerror(code)); }
  MDB_env* env_ = nullptr;
  MDB_dbi tables_[kPartitions] = {};
};

class SqliteStore final : public Store {
 public:
  explicit SqliteStore(const std::string& directory) {
    std::filesystem::create_directories(directory);
    require(sqlite3_open((directory + "/log.sqlite").c_str(), &db_) == SQLITE_OK, "open");
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = FULL");
    run("CREATE TABLE log (partition INTEGER, number INTEGER, blob BLOB, PRIMARY KEY (partition, number)) WITHOUT "
        "ROWID");
    require(sqlite3_prepare_v2(db_, "INSERT INTO log VALUES (?, ?, ?)", -1, &insert_, nullptr) == SQLITE_OK, "prepare");
  }
  ~SqliteStore() override {
    sqlite3_finalize(insert_);
    sqlite3_close(db_);
  }
  void append(std::uint64_t number, const std::string& blob) override {
    run("BEGIN");
    for (std::size_t p = 0; p < kPartitions; ++p) {
      sqlite3_bind_int64(insert_, 1, static_cast<sqlite3_int64>(p));
      sqlite3_bind_int64(insert_, 2, static_cast<sqlite3_int64>(number));
      sqlite3_bind_blob(insert_, 3, blob.data(), static_cast<int>(blob.size()), SQLITE_STATIC);
      require(sqlite3_step(insert_) == SQLITE_DONE, "insert");
      sqlite3_reset(insert_);
    }
    run("COMMIT");
  }
  std::size_t read_all(std::size_t partition) override {
    sqlite3_stmt* select = nullptr;
    const auto sql = fmt::format("SELECT blob FROM log WHERE partition = {} ORDER BY number", partition);
    require(sqlite3_prepare_v2(db_, sql.c_str(), -1, &select, nullptr) == SQLITE_OK, "prepare");
    std::size_t bytes = 0;
    while (sqlite3_step(select) == SQLITE_ROW) {
      bytes += std::string(static_cast<const char*>(sqlite3_column_blob(select, 0)),
                           static_cast<std::size_t>(sqlite3_column_bytes(select, 0)))
                   .size();
    }
    sqlite3_finalize(select);
    return bytes;
  }
  void trim(std::uint64_t before) override { run(fmt::format("DELETE FROM log WHERE number < {}", before)); }

 private:
  void run(const std::string& sql) {
    require(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK, sqlite3_errmsg(db_));
  }
  sqlite3* db_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::uint64_t directory_bytes(const std::string& directory) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

template <class Make>
void measure(const char* name, const std::string& directory, std::uint64_t groups, Make make) {
  using Clock = std::chrono::steady_clock;
  const auto since = [](Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); };
  std::filesystem::remove_all(directory);
  std::unique_ptr<Store> store = make(directory);
  // Half of it compresses away, as that of events does.
  std::mt19937_64 random(1);
  std::string blob(kBlobBytes, ' ');
  std::vector<double> times;
  auto began = Clock::now();
  const double cpu = cpu_seconds();
  for (std::uint64_t number = 0; number < groups; ++number) {
    for (std::size_t i = 0; i < kBlobBytes; i += 2) blob[i] = static_cast<char>(random());
    const auto each = Clock::now();
    store->append(number, blob);
    times.push_back(since(each));
  }
  const double took = since(began);
  const double used = cpu_seconds() - cpu;
  std::ranges::sort(times);
  began = Clock::now();
  std::size_t bytes = 0;
  for (std::size_t p = 0; p < kPartitions; ++p) bytes += store->read_all(p);
  require(bytes == groups * kPartitions * kBlobBytes, "what was read is not what was written");
  const double read = since(began);
  const auto full = directory_bytes(directory);
  began = Clock::now();
  store->trim(groups / 2);
  const double trimmed = since(began);
  fmt::print(
      "{:<8} {:>6.0f} groups/s  {:>5.0f} MB/s  fsync group p50 {:>5.2f} ms p99 {:>6.2f} ms  {:>6.0f} us CPU a group  "
      "read {:>5.0f} MB/s"
      "  {:>5.0f} MB on disk  trim of half {:>5.0f} ms, then {:>5.0f} MB\n",
      name, static_cast<double>(groups) / took, static_cast<double>(bytes) / took / 1e6, times[times.size() / 2] * 1e3,
      times[times.size() * 99 / 100] * 1e3, used / static_cast<double>(groups) * 1e6,
      static_cast<double>(bytes) / read / 1e6, static_cast<double>(full) / 1e6, trimmed * 1e3,
      static_cast<double>(directory_bytes(directory)) / 1e6);
  store.reset();
  std::filesystem::remove_all(directory);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string directory =
      (argc > 1 ? std::string(argv[1]) : std::filesystem::temp_directory_path().string()) + "/marquee-bench-stores";
  const std::uint64_t groups = argc > 2 ? std::stoull(argv[2]) : 20'000;
  measure("RocksDB", directory, groups, [](const std::string& d) { return std::make_unique<RocksStore>(d); });
  measure("LMDB", directory, groups, [](const std::string& d) { return std::make_unique<LmdbStore>(d); });
  measure("SQLite", directory, groups, [](const std::string& d) { return std::make_unique<SqliteStore>(d); });
  return 0;
}
