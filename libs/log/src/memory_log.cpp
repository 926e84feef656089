#include "marquee/log/memory_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <numeric>

namespace marquee::log {
namespace {

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
          for (const std::string_view record : batch.records()) records.emplace_back(record);
          partitions_[batch.partition()].times.resize(records.size(), SystemClock().now().time_since_epoch().count());
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

  [[nodiscard]] Result<Offset> offset_at(Partition partition, WallTime time) override {
    const std::lock_guard lock(mutex_);
    const auto& times = partitions_[partition].times;
    return static_cast<Offset>(std::ranges::lower_bound(times, time.time_since_epoch().count()) - times.begin());
  }

  [[nodiscard]] Result<Progress> progress(Partition partition) override {
    const std::lock_guard lock(mutex_);
    return partitions_[partition].progress;
  }

  void follow(Follower& follower) override {
    follower_ = &follower;
    follower.take(all());
  }

  void unfollow() override {
    if (Follower* follower = follower_.exchange(nullptr)) follower->release(all(), /*is_lost=*/false);
  }

  [[nodiscard]] Result<void> plan(const std::vector<Plan>& plans, std::uint64_t planner) override {
    const std::lock_guard lock(mutex_);
    for (const auto& [partition, range] : plans) {
      partitions_[partition].progress = {.next = range.begin, .plan = range, .planner = planner};
    }
    return {};
  }

  [[nodiscard]] Result<void> confirm(Partition partition, Offset next) override {
    const std::lock_guard lock(mutex_);
    partitions_[partition].progress = {.next = next, .plan = std::nullopt, .planner = 0};
    return {};
  }

  [[nodiscard]] Result<std::vector<Standing>> standings() override {
    const std::lock_guard lock(mutex_);
    std::vector<Standing> all;
    for (const Kept& one : partitions_) {
      Standing standing{{0, one.records.size()}, one.progress.next, std::nullopt, follower_ != nullptr};
      if (standing.landed < one.times.size()) standing.waiting_since_ms = one.times[standing.landed];
      all.push_back(standing);
    }
    return all;
  }

  void close() override {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    changed_.notify_all();
  }

 private:
  [[nodiscard]] std::vector<Partition> all() const {
    std::vector<Partition> all(partitions_.size());
    std::iota(all.begin(), all.end(), Partition{0});
    return all;
  }

  struct Kept {
    std::vector<std::string> records;
    std::vector<std::int64_t> times;  ///< When each was appended.
    Progress progress;
  };
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Kept> partitions_;  ///< Guarded by mutex_, as is the next.
  bool is_closed_ = false;
  std::atomic<Follower*> follower_ = nullptr;
};

}  // namespace

std::unique_ptr<EventLog> open_memory_log(Partition partitions) { return std::make_unique<MemoryLog>(partitions); }

}  // namespace marquee::log
