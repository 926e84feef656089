#include "marquee/log/spilling_log.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <limits>
#include <random>
#include <thread>

#include "marquee/base/logging.h"
#include "marquee/log/current_end.h"
#include "spill_drain.h"
#include "spill_lane.h"
#include "spill_metrics.h"
#include "spill_record.h"

namespace marquee::log {
namespace {

using Steady = std::chrono::steady_clock;

constexpr auto kLookEvery = std::chrono::milliseconds(50);  // At deadlines, where nothing else wakes.
constexpr auto kLongestPause = std::chrono::seconds(1);     // Of a drain that goes on.
constexpr auto kRefusedFor = std::chrono::seconds(10);      // Then it is worth another try.
constexpr Offset kNoBarrier = std::numeric_limits<Offset>::max();

class Spilling final : public SpillingLog, public FarLog {
 public:
  Spilling(std::unique_ptr<EventLog> far, std::unique_ptr<EventLog> near, SpillOptions options)
      : options_(std::move(options)),
        metrics_(options_.metrics),
        lanes_(near->partitions()),
        barriers_(near->partitions(), kNoBarrier),
        near_(std::move(near)),
        far_(std::move(far)) {
    if (!options_.clock) options_.clock = std::make_shared<SystemClock>();
    // Far from those of any earlier process whose records wait.
    std::random_device draw;
    next_ticket_ = (std::uint64_t{draw()} << 32 | draw()) | 1;
    for (Partition i = 0; i < near_->partitions(); ++i)
      drains_.emplace_back(lanes_[i], i, *far_, *near_, options_.chunk_bytes, [this] { wake(); });
  }
  ~Spilling() override { close(); }

  Result<void> start() {
    for (auto& drain : drains_) {
      const auto is_old = drain.start();
      if (!is_old) return is_old.error();
      if (*is_old) is_barred_ = true;
    }
    for (Partition i = 0; i < near_->partitions() && is_barred_; ++i) barriers_[i] = near_->end(i);
    if (const auto left = waiting(); left > 0) {
      is_spilling_ = true;
      spilling_since_ = Steady::now();
      logging::info("spill.resumes", {{"events", left}});
    }
    worker_ = std::thread([this] { work(); });
    return {};
  }

  void append(std::vector<Batch> batches, Appended done) override {
    if (batches.empty()) return done({});
    std::uint64_t bytes = 0;
    for (const Batch& batch : batches) bytes += size_of(batch);
    if (pending_bytes_.fetch_add(bytes) + bytes > options_.max_pending_bytes || is_closed_) {
      pending_bytes_ -= bytes;
      return done(Error::retry(is_closed_ ? "the log is closing" : "too many events wait for Kafka and for the disk"));
    }
    const auto request = std::make_shared<SpillRequest>(
        batches.size(), [this, bytes, done = std::move(done)](Result<void> result) mutable {
          pending_bytes_ -= bytes;
          done(std::move(result));
        });
    const auto deadline = Steady::now() + options_.after;
    // Each partition by itself, so that one that fails does not take the others with it.
    for (Batch& batch : batches) {
      Batch copy = batch;
      const auto part = std::make_shared<SpillPart>(std::move(batch), request, deadline);
      switch (lane_of(*part).add(part, is_barred_)) {
        case SpillLane::Way::far:
          give(part, std::move(copy));
          break;
        case SpillLane::Way::near:
          put(part);
          break;
        case SpillLane::Way::held:
          break;
      }
    }
  }

  void close() override {
    if (is_closed_.exchange(true)) return;
    wait_for_drain();
    stop_working();
    is_over_ = true;  // What fails from now on is told to its sender at once.
    far_->close();
    for (auto& drain : drains_) note(drain.settle(Steady::now()));
    for (auto& lane : lanes_) put_all(lane.spill(next_ticket_));
    near_->close();
    if (const auto left = waiting(); left > 0)
      logging::warn("spill.kept", {{"events", left}, {"for", "the next start with this spill.directory"}});
  }

  std::uint64_t waiting() const override {
    std::uint64_t sum = 0;
    for (const auto& lane : lanes_) sum += lane.waiting();
    return sum;
  }
  bool is_taking() const override {
    const auto refused = refused_at_.load();
    return refused == Steady::time_point() || Steady::now() - refused > kRefusedFor || waiting() == 0;
  }

  Partition partitions() const override { return far_->partitions(); }
  Result<Offset> current_end(Partition partition) override { return log::current_end(*far_, partition); }
  Result<Offset> offset_at(Partition partition, WallTime time) override { return far_->offset_at(partition, time); }
  void follow(Follower& follower) override { far_->follow(follower); }
  void unfollow() override { far_->unfollow(); }
  Result<Records> read(Partition partition, Offset from, std::size_t max_records, std::size_t max_bytes) override {
    return far_->read(partition, from, max_records, max_bytes);
  }
  bool wait_for(Partition partition, Offset offset, Millis timeout) override {
    return far_->wait_for(partition, offset, timeout);
  }
  Offset begin(Partition partition) const override { return far_->begin(partition); }
  Offset end(Partition partition) const override { return far_->end(partition); }
  Result<Progress> progress(Partition partition) override { return far_->progress(partition); }
  Result<void> plan(const std::vector<Plan>& plans, std::uint64_t planner) override {
    return far_->plan(plans, planner);
  }
  Result<void> confirm(Partition partition, Offset next) override { return far_->confirm(partition, next); }
  Result<std::vector<Standing>> standings() override { return far_->standings(); }
  /// As long as one of the two takes appends.
  Result<void> reach(Millis wait) override { return is_taking() ? Result<void>() : far_->reach(wait); }

 private:
  using Part = SpillLane::Part;

  static std::uint64_t size_of(const Batch& batch) { return batch.bytes().size() + batch.count() * 64; }
  std::int64_t now_ms() const { return options_.clock->now().time_since_epoch().count(); }
  SpillLane& lane_of(const SpillPart& part) { return lanes_[part.partition % lanes_.size()]; }

  void give(const Part& part, Batch batch) {
    std::vector<Batch> batches;
    batches.push_back(std::move(batch));
    far_->append(std::move(batches), [this, part](Result<void> result) {
      if (result) note_taken();
      if (lane_of(*part).answer(part, result)) return part->request->note(result);
      if (!is_over_) return wake();
      put_all(lane_of(*part).spill(next_ticket_));
    });
  }

  /// Into the near log, behind what is there.
  void put(const Part& part) {
    Batch batch(static_cast<Partition>(part->partition % lanes_.size()));
    const auto records = part->batch.records();
    const auto time_ms = now_ms();
    std::string bytes;
    for (std::size_t i = 0; i < records.size(); ++i) {
      bytes.clear();
      encode({.partition = part->partition,
              .partitions = far_->partitions(),
              .key = part->batch.keys()[i],
              .ticket = part->ticket,
              .time_ms = time_ms,
              .record = records[i]},
             bytes);
      batch.add(bytes);
    }
    part->batch = Batch(part->partition);
    std::vector<Batch> batches;
    batches.push_back(std::move(batch));
    near_->append(std::move(batches), [this, part](Result<void> result) {
      if (result) {
        metrics_.spilled(part->records, part->bytes);
        note_taken();
        part->request->note(result);
      } else {
        lane_of(*part).refuse(part);
        refused_at_ = Steady::now();
        part->request->note(
            Error::retry("Kafka is slow or away, and the spill takes no more: " + result.error().message));
      }
      wake();
    });
  }

  void put_all(const std::vector<Part>& parts) {
    for (const Part& part : parts) put(part);
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (!stops_) {
      changed_.wait_for(lock, kLookEvery, [this] { return has_work_ || stops_; });
      has_work_ = false;
      lock.unlock();
      look();
      lock.lock();
    }
  }

  void look() {
    const auto now = Steady::now();
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      note(drains_[i].step(now, barriers_[i]));
      if (lanes_[i].is_due(now)) spill(lanes_[i]);
      for (const Part& part : lanes_[i].release()) give(part, part->batch);
    }
    if (is_barred_) lift_barriers();
    show();
  }

  void spill(SpillLane& lane) {
    const auto parts = lane.spill(next_ticket_);
    if (!parts.empty() && !std::exchange(is_spilling_, true)) {
      spilling_since_ = Steady::now();
      logging::warn("spill.begins", {{"why", "Kafka does not acknowledge events in time"}, {"requests", parts.size()}});
    }
    put_all(parts);
  }

  /// Once nothing of the old layout waits.
  void lift_barriers() {
    for (std::size_t i = 0; i < drains_.size(); ++i) {
      if (drains_[i].next() < barriers_[i]) return;
    }
    std::ranges::fill(barriers_, kNoBarrier);
    is_barred_ = false;
  }

  void note(const SpillDrain::Settled& settled) {
    if (settled.drained == 0) return;
    note_taken();
    metrics_.drained(settled.drained, settled.kept);
    drained_ += settled.drained;
    kept_ += settled.kept;
  }

  void note_taken() {
    if (refused_at_.load(std::memory_order_relaxed) != Steady::time_point()) refused_at_ = Steady::time_point();
  }

  void show() {
    const auto left = waiting();
    std::int64_t oldest = 0;
    for (const auto& drain : drains_) {
      if (drain.oldest_ms() != 0 && (oldest == 0 || drain.oldest_ms() < oldest)) oldest = drain.oldest_ms();
    }
    metrics_.waits(left, left == 0 || oldest == 0 ? 0 : now_ms() - oldest);
    if (!is_spilling_ || left > 0) return;
    is_spilling_ = false;
    logging::info("spill.drained",
                  {{"events", drained_.exchange(0)},
                   {"acknowledged_late", std::exchange(kept_, 0)},
                   {"seconds", std::chrono::duration<double>(Steady::now() - spilling_since_).count()}});
  }

  /// As long as it gets on, and drain_within at most.
  void wait_for_drain() {
    const auto limit = Steady::now() + options_.drain_within;
    const auto pause = std::max<Steady::duration>(options_.after, kLongestPause);
    const auto is_idle = [this] { return std::ranges::all_of(lanes_, &SpillLane::is_idle); };
    auto patience = Steady::now() + pause;
    for (auto before = drained_.load(); !is_idle() && Steady::now() < std::min(limit, patience);) {
      std::this_thread::sleep_for(kLookEvery / 5);
      if (const auto now = drained_.load(); now != before) {
        before = now;
        patience = Steady::now() + pause;
      }
    }
  }

  void stop_working() {
    {
      const std::lock_guard lock(mutex_);
      stops_ = true;
    }
    changed_.notify_all();
    if (worker_.joinable()) worker_.join();
  }

  void wake() {
    {
      const std::lock_guard lock(mutex_);
      has_work_ = true;
    }
    changed_.notify_all();
  }

  SpillOptions options_;
  SpillMetrics metrics_;
  std::vector<SpillLane> lanes_;
  std::vector<Offset> barriers_;  ///< By lane. Of the worker, as are the next.
  std::atomic<std::uint64_t> next_ticket_ = 0;
  bool is_spilling_ = false;
  Steady::time_point spilling_since_{};
  std::uint64_t kept_ = 0;
  std::atomic<std::uint64_t> drained_ = 0;  ///< Since the last time that nothing waited.
  std::atomic<bool> is_barred_ = false;
  std::atomic<bool> is_closed_ = false;
  std::atomic<bool> is_over_ = false;
  std::atomic<std::uint64_t> pending_bytes_ = 0;
  std::atomic<Steady::time_point> refused_at_ = Steady::time_point();  ///< That: it was not, or has taken one since.
  std::mutex mutex_;
  std::condition_variable changed_;
  bool has_work_ = false;  ///< Guarded by mutex_, as is the next.
  bool stops_ = false;
  std::thread worker_;
  // After what their answers use.
  std::unique_ptr<EventLog> near_;
  std::unique_ptr<EventLog> far_;
  std::deque<SpillDrain> drains_;
};

}  // namespace

Result<std::unique_ptr<SpillingLog>> open_spilling_log(std::unique_ptr<EventLog> far, std::unique_ptr<EventLog> near,
                                                       SpillOptions options) {
  auto log = std::make_unique<Spilling>(std::move(far), std::move(near), std::move(options));
  if (auto started = log->start(); !started) return started.error();
  return log;
}

}  // namespace marquee::log
