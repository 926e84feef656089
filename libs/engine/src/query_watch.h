// Looks at statements while they run: tells their clients how far they are, and ends those whose client has left.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "marquee/engine/pool.h"

namespace marquee::engine {

/// The client of one request, as its connection and its statement know it.
struct Client {
  std::atomic<bool> has_left = false;
};

/// Thread safe. The engine tells nothing about a statement on the connection that runs it; this asks on another, in one
/// question for all that are watched.
class QueryWatch {
 public:
  using Clock = std::chrono::steady_clock;

  /// A statement as the engine's list of running ones tells it apart, and what is wanted of it.
  struct Statement {
    std::string mark;                        ///< Its log_comment.
    std::shared_ptr<const Client> client{};  ///< Ended once that has left; null: never.
    /// Called about every `interval`, on the watch's thread: must not block. Empty: never.
    std::function<void(const Progress&)> on_progress{};
    std::chrono::milliseconds interval{100};
    Clock::time_point due{};  ///< Kept by the watch.
  };

  /// Watches until it goes. `on_progress` is not called afterwards.
  class Held {
   public:
    Held(QueryWatch* watch, std::list<Statement>::iterator place) : watch_(watch), place_(place) {}
    ~Held();
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

   private:
    QueryWatch* watch_;
    std::list<Statement>::iterator place_;
  };

  explicit QueryWatch(Pool& pool);
  ~QueryWatch();
  QueryWatch(const QueryWatch&) = delete;
  QueryWatch& operator=(const QueryWatch&) = delete;

  [[nodiscard]] Held watch(Statement statement);
  /// To be called after a client's `has_left` has been set.
  void look_now();

 private:
  void run();
  [[nodiscard]] Clock::time_point next_due() const;
  [[nodiscard]] std::vector<std::string> take_due(bool of_those_left, Clock::time_point now);
  void tell_progress(std::unique_lock<std::mutex>& lock, Clock::time_point now);
  void end_abandoned(std::unique_lock<std::mutex>& lock, Clock::time_point now);

  Pool& pool_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Statement> statements_;
  Clock::time_point wakes_ = Clock::time_point::max();
  bool must_look_ = false;
  bool is_stopping_ = false;
  std::thread thread_;  // Last: it uses the others.
};

}  // namespace marquee::engine
