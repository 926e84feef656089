#include "marquee/log/memory_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

namespace marquee::log {
namespace {

/// The records of a batch, as Batch::add framed them.
std::vector<std::string> records_of(const Batch& batch) {
  std::vector<std::string> records;
  std::string_view bytes = batch.bytes();
  while (!bytes.empty()) {
    std::uint64_t size = 0;
    unsigned shift = 0;
    for (bool more = true; more; shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes.front());
      bytes.remove_prefix(1);
      size |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      more = (byte & 0x80U) != 0;
    }
    records.emplace_back(bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  return records;
}

class MemoryLog final : public EventLog {
 public:
  explicit MemoryLog(Partition partitions) : partitions_(partitions) {}

  [[nodiscard]] Partition partitions() const override { return static_cast<Partition>(partitions_.size()); }

  void append(std::vector<Batch> batches, Appended done) override {
    {
      const std::lock_guard lock(mutex_);
      if (!is_closed_) {
        for (const Batch& batch : batches) {
          auto& records = partitions_[batch.partition()].records;
          for (std::string& record : records_of(batch)) records.push_back(std::move(record));
        }
        changed_.notify_all();
      } else {
        batches.clear();
      }
    }
    done(batches.empty() ? Result<void>(Error::retry("the log is closing")) : Result<void>());
  }

  [[nodiscard]] Result<Records> read(Partition partition, Offset from, std::size_t max_records,
                                     std::size_t max_bytes) override {
    const std::lock_guard lock(mutex_);
    const auto& kept = partitions_[partition].records;
    Records result;
    result.first = from;
    std::size_t bytes = 0;
    for (Offset at = from; at < kept.size() && result.storage.size() < max_records && (at == from || bytes < max_bytes);
         ++at) {
      result.storage.push_back(kept[at]);
      bytes += kept[at].size();
    }
    result.records.assign(result.storage.begin(), result.storage.end());
    return result;
  }

  [[nodiscard]] bool wait_for(Partition partition, Offset offset, Millis timeout) override {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout, [&] { return is_closed_ || partitions_[partition].records.size() > offset; });
    return partitions_[partition].records.size() > offset;
  }

  [[nodiscard]] Offset begin(Partition) const override { return 0; }
  [[nodiscard]] Offset end(Partition partition) const override {
    const std::lock_guard lock(mutex_);
    return partitions_[partition].records.size();
  }

  [[nodiscard]] Result<Progress> progress(Partition partition) override {
    const std::lock_guard lock(mutex_);
    return partitions_[partition].progress;
  }

  [[nodiscard]] Result<void> plan(Partition partition, Range range) override {
    const std::lock_guard lock(mutex_);
    partitions_[partition].progress = {.next = range.begin, .plan = range};
    return {};
  }

  [[nodiscard]] Result<void> confirm(Partition partition, Offset next) override {
    const std::lock_guard lock(mutex_);
    partitions_[partition].progress = {.next = next, .plan = std::nullopt};
    return {};
  }

  void close() override {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    changed_.notify_all();
  }

 private:
  struct Kept {
    std::vector<std::string> records;
    Progress progress;
  };
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Kept> partitions_;  ///< Guarded by mutex_, as is the next.
  bool is_closed_ = false;
};

}  // namespace

std::unique_ptr<EventLog> open_memory_log(Partition partitions) { return std::make_unique<MemoryLog>(partitions); }

}  // namespace marquee::log
