// A memory log that can be told to fail, to answer late, or never; stands for a far log in trouble.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "marquee/log/memory_log.h"

namespace marquee::log::testing {

/// Keeps appends in the order in which they came, on a thread of its own. Thread safe.
class TroubledLog final : public EventLog {
 public:
  enum class Mood {
    good,
    silent,    ///< Nothing is kept or answered until the mood is another.
    failing,   ///< Refuses at once (Action::retry) and keeps nothing.
    refusing,  ///< The same with Action::reject.
    lying,     ///< Keeps it and says that it did not.
  };

  explicit TroubledLog(Partition partitions) : kept_(open_memory_log(partitions)), thread_([this] { work(); }) {}
  ~TroubledLog() override { close(); }

  void set(Mood mood) {
    const std::lock_guard lock(mutex_);
    moods_.clear();
    mood_ = mood;
    changed_.notify_all();
  }
  void set(Partition partition, Mood mood) {
    const std::lock_guard lock(mutex_);
    moods_[partition] = mood;
    changed_.notify_all();
  }
  void refuse_confirms(bool refuses) { refuses_confirms_ = refuses; }
  /// Every record kept in the partition, in order.
  [[nodiscard]] std::vector<std::string> kept(Partition partition) {
    std::vector<std::string> texts;
    if (const auto records = kept_->read(partition, 0, SIZE_MAX, SIZE_MAX))
      texts.assign(records->records.begin(), records->records.end());
    return texts;
  }

  void append(std::vector<Batch> batches, Appended done) override {
    std::unique_lock lock(mutex_);
    const Mood mood = mood_of(batches);
    if (stops_ || mood == Mood::failing) {
      lock.unlock();
      return done(Error::retry("out of order"));
    }
    if (mood == Mood::refusing) {
      lock.unlock();
      return done(Error::reject("not allowed"));
    }
    queue_.push_back({std::move(batches), std::move(done)});
    changed_.notify_all();
  }
  /// What is not answered then never is kept.
  void close() override {
    {
      const std::lock_guard lock(mutex_);
      stops_ = true;
      changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
    for (auto& one : queue_) one.done(Error::retry("closed"));
    queue_.clear();
  }

  Partition partitions() const override { return kept_->partitions(); }
  void follow(Follower& follower) override { kept_->follow(follower); }
  void unfollow() override { kept_->unfollow(); }
  Result<Records> read(Partition partition, Offset from, std::size_t records, std::size_t bytes) override {
    return kept_->read(partition, from, records, bytes);
  }
  bool wait_for(Partition partition, Offset offset, Millis timeout) override {
    return kept_->wait_for(partition, offset, timeout);
  }
  Offset begin(Partition partition) const override { return kept_->begin(partition); }
  Offset end(Partition partition) const override { return kept_->end(partition); }
  Result<Offset> offset_at(Partition partition, WallTime time) override { return kept_->offset_at(partition, time); }
  Result<Progress> progress(Partition partition) override { return kept_->progress(partition); }
  Result<void> plan(const std::vector<Plan>& plans, std::uint64_t planner) override {
    return kept_->plan(plans, planner);
  }
  Result<void> confirm(Partition partition, Offset next) override {
    if (refuses_confirms_) return Error::retry("not now");
    return kept_->confirm(partition, next);
  }
  Result<std::vector<Standing>> standings() override { return kept_->standings(); }

 private:
  struct Waiting {
    std::vector<Batch> batches;
    Appended done;
  };

  [[nodiscard]] Mood mood_of(const std::vector<Batch>& batches) const {
    for (const Batch& batch : batches) {
      if (const auto found = moods_.find(batch.partition()); found != moods_.end()) return found->second;
    }
    return mood_;
  }

  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      // The first of a partition that is not silent; those of a silent one wait in order.
      auto next = queue_.end();
      changed_.wait(lock, [&] {
        next = std::ranges::find_if(queue_, [&](const Waiting& one) { return mood_of(one.batches) != Mood::silent; });
        return stops_ || next != queue_.end();
      });
      if (stops_) return;
      Waiting one = std::move(*next);
      queue_.erase(next);
      const Mood mood = mood_of(one.batches);
      lock.unlock();
      if (mood == Mood::failing || mood == Mood::refusing) {
        one.done(Error::retry("out of order"));
      } else {
        kept_->append(std::move(one.batches), [](const Result<void>&) {});
        one.done(mood == Mood::lying ? Result<void>(Error::retry("timed out")) : Result<void>());
      }
      lock.lock();
    }
  }

  const std::unique_ptr<EventLog> kept_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Mood mood_ = Mood::good;
  std::map<Partition, Mood> moods_;
  std::deque<Waiting> queue_;
  bool stops_ = false;
  std::atomic<bool> refuses_confirms_ = false;
  std::thread thread_;
};

}  // namespace marquee::log::testing
