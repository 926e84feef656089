// Threads that run waiting jobs in order, with a bound on how many wait.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace marquee::engine {

/// Thread safe.
class WorkQueue {
 public:
  using Job = std::move_only_function<void()>;

  WorkQueue(unsigned threads, std::size_t max_waiting);
  ~WorkQueue();  ///< Runs what waits, then stops.
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  /// False, with `job` untouched, where the queue is full or stopping.
  [[nodiscard]] bool add(Job& job);
  /// Takes no further jobs and waits until those it has are done. False where `deadline` comes first.
  [[nodiscard]] bool drain(std::chrono::steady_clock::time_point deadline);

 private:
  void work();

  const std::size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;
  unsigned running_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace marquee::engine
