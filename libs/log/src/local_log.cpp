#include "marquee/log/local_log.h"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <numeric>
#include <thread>

#include "blob.h"
#include "local_log_metrics.h"
#include "marquee/base/logging.h"
#include "marquee/log/erasable.h"
#include "storage.h"

namespace marquee::log {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::size_t kGroupBytes = 8U << 20;  // A group is read as one: more than this waits for the next.
constexpr auto kTrimEvery = std::chrono::seconds(1);
constexpr std::size_t kSegmentBytes = 1U << 20;  // Grain of the accounting of kept bytes.

struct Pending {
  std::vector<Batch> batches;
  Appended done;
  std::size_t bytes = 0;
};

struct TailGroup {
  Offset first;
  Offset end;
  std::shared_ptr<const std::string> blob;
};

struct Segment {
  Offset end = 0;
  std::uint64_t bytes = 0;
  std::int64_t time_ms = 0;  // Of its newest group.
};

struct PartitionState {
  Range kept;
  std::deque<TailGroup> tail;
  std::deque<Segment> segments;
  Offset confirmed = 0;
};

std::uint64_t free_bytes(const std::string& directory) {
  struct statvfs info{};
  if (::statvfs(directory.c_str(), &info) != 0) return UINT64_MAX;
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

class LocalLog final : public EventLog, public ErasableLog {
 public:
  LocalLog(LocalLogOptions options, std::unique_ptr<Storage> storage)
      : options_(std::move(options)),
        metrics_(options_.metrics, options_.metric_labels,
                 {options_.max_bytes, options_.min_free_disk_bytes, options_.max_pending_bytes}),
        storage_(std::move(storage)),
        states_(options_.partitions) {
    if (!options_.clock) options_.clock = std::make_shared<SystemClock>();
  }
  ~LocalLog() override { close(); }

  Result<void> load() {
    for (Partition p = 0; p < options_.partitions; ++p) {
      const auto range = storage_->range(p);
      if (!range) return range.error();
      const auto progress = storage_->progress(p);
      if (!progress) return progress.error();
      auto& state = states_[p];
      state.kept = *range;
      state.confirmed = progress->next;
      if (!range->empty()) {
        const auto bytes = storage_->approximate_bytes(p);
        state.segments.push_back({range->end, bytes, now_ms()});
        kept_bytes_ += bytes;
      }
    }
    metrics_.kept_bytes.Set(static_cast<double>(kept_bytes_));
    committer_ = std::thread([this] { commit_loop(); });
    keeper_ = std::thread([this] { keep_loop(); });
    return {};
  }

  Partition partitions() const override { return options_.partitions; }

  void append(std::vector<Batch> batches, Appended done) override {
    std::size_t bytes = 0;
    for (const auto& batch : batches) bytes += batch.bytes().size() + 64;
    std::unique_lock lock(mutex_);
    if (is_closed_ || pending_bytes_ + bytes > options_.max_pending_bytes) {
      const bool is_closed = is_closed_;
      lock.unlock();
      done(Error::retry(is_closed ? "the log is closing" : "too many events wait for the disk"));
      return;
    }
    pending_bytes_ += bytes;
    metrics_.pending_bytes.Set(static_cast<double>(pending_bytes_));
    pending_.push_back({std::move(batches), std::move(done), bytes});
    if (pending_.size() == 1) work_.notify_one();
  }

  Result<Records> read(Partition partition, Offset from, std::size_t max_records, std::size_t max_bytes) override {
    Records records;
    records.first = from;
    std::size_t bytes = 0;
    for (Offset at = from; records.records.size() < max_records && bytes < max_bytes;) {
      auto group = group_at(partition, at);
      if (!group) return group.error();
      if (!*group) break;
      auto& [first, blob] = **group;
      records.storage.push_back(std::move(blob));
      const auto found = read_blob(records.storage.back());
      if (!found)
        return Error::give_up(
            fmt::format("partition {}, group at offset {}: {}", partition, first, found.error().message));
      const auto take = std::min(found->size() - (at - first), max_records - records.records.size());
      const auto begin = found->begin() + static_cast<std::ptrdiff_t>(at - first);
      records.records.insert(records.records.end(), begin, begin + static_cast<std::ptrdiff_t>(take));
      bytes += records.storage.back().size();
      at += take;
    }
    return records;
  }

  bool wait_for(Partition partition, Offset offset, Millis timeout) override {
    std::unique_lock lock(mutex_);
    grown_.wait_for(lock, timeout, [&] { return is_closed_ || states_[partition].kept.end > offset; });
    return states_[partition].kept.end > offset;
  }

  Offset begin(Partition partition) const override {
    const std::lock_guard lock(mutex_);
    return states_[partition].kept.begin;
  }
  Offset end(Partition partition) const override {
    const std::lock_guard lock(mutex_);
    return states_[partition].kept.end;
  }

  Result<Offset> offset_at(Partition partition, WallTime time) override {
    // A group's records share its time, and groups are in order of time where the clock is not set back.
    Offset low = begin(partition);
    Offset high = end(partition);
    while (low < high) {
      const Offset middle = low + (high - low) / 2;
      const auto group = group_at(partition, middle);
      if (!group) return group.error();
      if (!*group) break;
      const auto head = read_blob_head((*group)->second);
      if (!head) return head.error();
      const Offset first = (*group)->first;
      if (head->time_ms >= time.time_since_epoch().count())
        high = std::max(first, low);
      else
        low = std::max(first + head->count, low);
    }
    return low;
  }

  Result<Progress> progress(Partition partition) override { return storage_->progress(partition); }
  void follow(Follower& follower) override {
    follower_ = &follower;
    follower.take(all());
  }
  void unfollow() override {
    if (Follower* follower = follower_.exchange(nullptr)) follower->release(all(), /*is_lost=*/false);
  }

  Result<void> plan(const std::vector<Plan>& plans, std::uint64_t planner) override {
    std::vector<std::pair<Partition, Progress>> all;
    for (const auto& [partition, range] : plans) all.push_back({partition, {range.begin, range, planner}});
    return set_progress(all);
  }
  Result<void> confirm(Partition partition, Offset next) override {
    return set_progress({{partition, {next, std::nullopt, 0}}});
  }

  Result<std::vector<Standing>> standings() override {
    std::vector<Standing> all(options_.partitions);
    for (Partition p = 0; p < options_.partitions; ++p) {
      {
        const std::lock_guard lock(mutex_);
        all[p] = {states_[p].kept, states_[p].confirmed, std::nullopt, follower_ != nullptr};
      }
      const auto group = group_at(p, std::max(all[p].landed, all[p].kept.begin));
      if (!group) return group.error();
      if (!*group) continue;
      const auto head = read_blob_head((*group)->second);
      if (!head) return head.error();
      all[p].waiting_since_ms = head->time_ms;
    }
    return all;
  }

  Result<ErasedRecords> erase(Partition partition, Offset before, const IsWanted& is_wanted) override {
    const std::lock_guard one_at_a_time(erasing_);
    ErasedRecords erased;
    const Offset end = std::min(before, this->end(partition));
    for (Offset at = begin(partition); at < end;) {
      const auto group = group_at(partition, at);
      if (!group) {
        if (at >= begin(partition)) return group.error();
        at = begin(partition);  // It was let go of meanwhile.
        continue;
      }
      if (!*group) break;
      const auto& [first, blob] = **group;
      const auto next = erase_of_group(partition, first, blob, before, is_wanted, erased);
      if (!next) return next.error();
      at = *next;
    }
    const auto rewritten = storage_->rewrite(partition, before);
    if (!rewritten) return rewritten.error();
    erased.bytes_rewritten += *rewritten;
    return erased;
  }

  void close() override {
    {
      const std::lock_guard lock(mutex_);
      is_closed_ = true;
      work_.notify_all();
      grown_.notify_all();
    }
    if (committer_.joinable()) committer_.join();
    if (!keeper_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      is_written_ = true;
      to_keep_.notify_all();
    }
    keeper_.join();
  }

 private:
  std::int64_t now_ms() const { return options_.clock->now().time_since_epoch().count(); }

  std::vector<Partition> all() const {
    std::vector<Partition> all(options_.partitions);
    std::iota(all.begin(), all.end(), Partition{0});
    return all;
  }

  Result<void> set_progress(const std::vector<std::pair<Partition, Progress>>& all) {
    if (auto set = storage_->set_progress(all); !set) return set;
    if (is_behind())
      if (auto synced = storage_->sync(); !synced) return synced;
    const std::lock_guard lock(mutex_);
    for (const auto& [partition, progress] : all) states_[partition].confirmed = progress.next;
    return {};
  }

  /// The group that holds `offset`, from memory or disk; nullopt at the end.
  Result<std::optional<std::pair<Offset, std::string>>> group_at(Partition partition, Offset offset) {
    std::pair<Offset, std::shared_ptr<const std::string>> recent;
    {
      const std::lock_guard lock(mutex_);
      const auto& state = states_[partition];
      if (offset >= state.kept.end) return std::nullopt;
      if (offset < state.kept.begin)
        return Error::give_up(
            fmt::format("partition {} begins at offset {}; {} is no longer kept", partition, state.kept.begin, offset));
      if (!state.tail.empty() && offset >= state.tail.front().first) {
        const auto after = std::ranges::upper_bound(state.tail, offset, {}, &TailGroup::first);
        recent = {std::prev(after)->first, std::prev(after)->blob};
      }
    }
    if (recent.second) return std::pair(recent.first, std::string(*recent.second));  // Who appends waits for no copy.
    auto found = storage_->find(partition, offset);
    if (!found) return found.error();
    if (!*found || (*found)->first > offset)
      return Error::give_up(
          fmt::format("partition {} has no record at offset {} although it should", partition, offset));
    return found;
  }

  /// Returns where the next group begins.
  Result<Offset> erase_of_group(Partition partition, Offset first, const std::string& blob, Offset before,
                                const IsWanted& is_wanted, ErasedRecords& erased) {
    const auto head = read_blob_head(blob);
    if (!head) return head.error();
    const auto found = read_blob(blob);
    if (!found) return found.error();
    const Offset next = first + found->size();
    Batch left(partition);
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < found->size(); ++i) {
      const auto record = (*found)[i];
      const bool is_to_go = first + i < before && !is_erased(record) && is_wanted(record);
      left.add(is_to_go ? kErasedRecord : record);
      count += is_to_go ? 1 : 0;
    }
    if (count == 0) return next;
    Group group{partition, first, make_blob({head->count, head->time_ms}, left.bytes())};
    // Held, so that no group is written again that is let go of at this moment.
    const std::lock_guard lock(mutex_);
    auto& state = states_[partition];
    if (first < state.kept.begin) return next;
    if (auto written = storage_->write({group}); !written) return written.error();
    erased.records += count;
    erased.bytes_rewritten += group.blob.size();
    const auto tail = std::ranges::find(state.tail, first, &TailGroup::first);
    if (tail == state.tail.end()) return next;
    tail_bytes_ = tail_bytes_ - tail->blob->size() + group.blob.size();
    tail->blob = std::make_shared<const std::string>(std::move(group.blob));
    return next;
  }

  void commit_loop() {
    std::unique_lock lock(mutex_);
    while (true) {
      work_.wait_for(lock, kTrimEvery, [this] { return !pending_.empty() || is_closed_; });
      if (pending_.empty() && is_closed_) return;
      auto taken = take_group();
      lock.unlock();
      if (taken.empty())
        look_at_disk();
      else
        commit(taken);
      lock.lock();
    }
  }

  /// What no append waits for: old records go, and where acknowledgements do not wait for it, fsync.
  void keep_loop() {
    auto next_trim = Steady::now();
    const auto pause = std::chrono::milliseconds(options_.sync_behind_ms);
    std::unique_lock lock(mutex_);
    while (!is_written_ || is_unsynced_) {
      to_keep_.wait_until(lock, next_trim, [this] { return is_unsynced_ || is_written_; });
      // So many groups share one.
      if (is_unsynced_ && !is_written_) to_keep_.wait_for(lock, pause, [this] { return is_written_; });
      const bool is_unsynced = std::exchange(is_unsynced_, false);
      lock.unlock();
      if (is_unsynced)
        if (auto synced = storage_->sync(); !synced)
          logging::error("log.sync_failed", {{"reason", synced.error().message}});
      if (Steady::now() >= next_trim) {
        trim();
        next_trim = Steady::now() + kTrimEvery;
      }
      lock.lock();
    }
  }

  [[nodiscard]] bool is_behind() const { return options_.sync && options_.sync_behind_ms > 0; }

  /// Called with the mutex held.
  std::vector<Pending> take_group() {
    std::vector<Pending> taken;
    for (std::size_t bytes = 0; !pending_.empty() && bytes < kGroupBytes; pending_.pop_front()) {
      bytes += pending_.front().bytes;
      taken.push_back(std::move(pending_.front()));
    }
    return taken;
  }

  void commit(std::vector<Pending>& taken) {
    const auto started = Steady::now();
    auto outcome = room();
    std::vector<std::string> records(options_.partitions);
    std::vector<std::uint32_t> counts(options_.partitions);
    std::vector<Group> groups;
    std::size_t bytes = 0;
    for (const auto& pending : taken) {
      bytes += pending.bytes;
      if (!outcome) continue;
      for (const auto& batch : pending.batches) {
        records[batch.partition()] += batch.bytes();
        counts[batch.partition()] += batch.count();
      }
    }
    if (outcome) {
      for (Partition p = 0; p < options_.partitions; ++p)
        if (counts[p] > 0) groups.push_back({p, end(p), make_blob({counts[p], now_ms()}, records[p])});
      outcome = storage_->write(groups);
    }
    {
      const std::lock_guard lock(mutex_);
      pending_bytes_ -= bytes;
      metrics_.pending_bytes.Set(static_cast<double>(pending_bytes_));
      if (outcome) {
        for (auto& group : groups) remember(group, counts[group.partition]);
        if (is_behind() && !std::exchange(is_unsynced_, true)) to_keep_.notify_one();
      }
    }
    if (outcome) {
      grown_.notify_all();
    } else {
      logging::warn("log.append_failed", {{"requests", taken.size()}, {"reason", outcome.error().message}});
    }
    metrics_.commit_seconds.Observe(std::chrono::duration<double>(Steady::now() - started).count());
    for (auto& pending : taken) pending.done(outcome);
  }

  /// Called with the mutex held, after `group` became durable.
  void remember(Group& group, std::uint32_t count) {
    auto& state = states_[group.partition];
    const auto bytes = group.blob.size();
    if (state.kept.empty()) state.kept.begin = group.first;
    state.kept.end = group.first + count;
    kept_bytes_ += bytes;
    if (state.segments.empty() || state.segments.back().bytes >= kSegmentBytes) state.segments.push_back({});
    auto& segment = state.segments.back();
    segment.end = state.kept.end;
    segment.bytes += bytes;
    segment.time_ms = now_ms();
    tail_bytes_ += bytes;
    state.tail.push_back({group.first, state.kept.end, std::make_shared<const std::string>(std::move(group.blob))});
    while (tail_bytes_ > options_.recent_bytes) {
      auto& longest = *std::ranges::max_element(states_, {}, [](const PartitionState& s) { return s.tail.size(); });
      tail_bytes_ -= longest.tail.front().blob->size();
      longest.tail.pop_front();
    }
    metrics_.records.Increment(count);
    metrics_.kept_bytes.Set(static_cast<double>(kept_bytes_));
  }

  void look_at_disk() {
    if (Steady::now() < next_disk_check_) return;
    next_disk_check_ = Steady::now() + std::chrono::milliseconds(100);
    free_bytes_ = free_bytes(options_.directory);
    metrics_.free_disk_bytes.Set(static_cast<double>(free_bytes_));
  }

  /// Whether there is room for more: the log's own bound, and the disk's.
  Result<void> room() {
    look_at_disk();
    if (free_bytes_ < options_.min_free_disk_bytes)
      return Error::retry(fmt::format("the disk of {} has {} MiB free, less than log.min_free_disk", options_.directory,
                                      free_bytes_ >> 20));
    const std::lock_guard lock(mutex_);
    if (kept_bytes_ > options_.max_bytes) return Error::retry(options_.when_full);
    return {};
  }

  /// Lets go of confirmed segments that are old enough, or old or not when the log is nearly full.
  void trim() {
    for (Partition p = 0; p < options_.partitions; ++p) {
      Offset before = 0;
      {
        const std::lock_guard lock(mutex_);
        auto& state = states_[p];
        const auto deadline = now_ms() - static_cast<std::int64_t>(options_.keep_confirmed_ms);
        while (!state.segments.empty()) {
          const auto& oldest = state.segments.front();
          const bool is_needed_room = kept_bytes_ > options_.max_bytes / 2;
          if (oldest.end > state.confirmed || (oldest.time_ms > deadline && !is_needed_room)) break;
          before = oldest.end;
          kept_bytes_ -= std::min(kept_bytes_, oldest.bytes);
          state.segments.pop_front();
        }
        if (before == 0) continue;
        state.kept.begin = before;
        while (!state.tail.empty() && state.tail.front().end <= before) {
          tail_bytes_ -= state.tail.front().blob->size();
          state.tail.pop_front();
        }
      }
      if (auto trimmed = storage_->trim(p, before); !trimmed)
        logging::warn("log.trim_failed", {{"partition", p}, {"reason", trimmed.error().message}});
    }
    const std::lock_guard lock(mutex_);
    metrics_.kept_bytes.Set(static_cast<double>(kept_bytes_));
  }

  LocalLogOptions options_;
  LocalLogMetrics metrics_;
  std::unique_ptr<Storage> storage_;

  std::mutex erasing_;
  mutable std::mutex mutex_;
  std::condition_variable work_, grown_;
  std::deque<Pending> pending_;
  std::size_t pending_bytes_ = 0;
  std::vector<PartitionState> states_;
  std::size_t tail_bytes_ = 0;
  std::uint64_t kept_bytes_ = 0;
  bool is_closed_ = false;
  std::condition_variable to_keep_;
  bool is_unsynced_ = false;  ///< Something is acknowledged and not known to be on the disk.
  bool is_written_ = false;   ///< Nothing more will be written.

  std::uint64_t free_bytes_ = UINT64_MAX;  // Of the committer alone.
  Steady::time_point next_disk_check_{};
  std::thread committer_, keeper_;
  std::atomic<Follower*> follower_ = nullptr;
};

}  // namespace

Result<std::unique_ptr<EventLog>> open_local_log(LocalLogOptions options) {
  auto storage = Storage::open(options.directory, options.partitions, options.sync && options.sync_behind_ms == 0,
                               options.buffer_bytes);
  if (!storage) return storage.error();
  auto log = std::make_unique<LocalLog>(std::move(options), std::move(*storage));
  if (auto loaded = log->load(); !loaded) return loaded.error();
  return log;
}

}  // namespace marquee::log
