// One thread with its own io_context, the connections that live on it, and the way for other threads to hand it
// answers.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace marquee::http {

class Connection;
class StreamState;

/// Bytes of an answer on their way to a connection.
struct Parcel {
  std::shared_ptr<Connection> to;
  std::string bytes = {};
  std::shared_ptr<StreamState> stream = {};  ///< Set with a streamed answer's head.
  bool is_last = true;                       ///< Ends the answer.
  bool keep_alive = true;                    ///< With is_last: whether the connection takes another request.
  std::function<void()> on_gone = {};     ///< Whom to tell when the client ends its side before the answer is complete.
  std::function<void()> on_written = {};  ///< With is_last: whom to tell once all of the answer is with the kernel.
};

/// Shared by its connections, so that an answer that comes after the server has stopped meets a closed mailbox
/// rather than freed memory.
class IoThread : public std::enable_shared_from_this<IoThread> {
 public:
  explicit IoThread(std::chrono::milliseconds sweep_interval);
  ~IoThread();

  void start();
  /// Ends the loop once every operation has ended, and waits for it. Connections must be closed before.
  void join();

  [[nodiscard]] boost::asio::io_context& context() { return context_; }
  /// Whether the caller runs on this or any other I/O thread, where nothing may block.
  [[nodiscard]] static bool is_io_thread();

  /// Hands over a parcel; thread safe. Only the first of many that wait wakes the thread. False once it has ended.
  bool send(Parcel parcel);

  using Connections = std::list<std::shared_ptr<Connection>>;
  /// These three on this thread only.
  Connections::iterator enter(std::shared_ptr<Connection> connection);
  void leave(Connections::iterator place);
  template <class Visit>
  void each_connection(Visit visit) {
    for (auto place = connections_.begin(); place != connections_.end();) {
      const std::shared_ptr<Connection> connection = *place++;
      visit(*connection);
    }
  }

 private:
  void run();
  void deliver();
  void sweep_later();

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  boost::asio::steady_timer sweep_;
  const std::chrono::milliseconds sweep_interval_;
  bool is_ending_ = false;  ///< Used on the thread itself.
  Connections connections_;
  std::mutex mutex_;
  std::vector<Parcel> waiting_;  ///< Guarded by mutex_.
  bool is_open_ = true;          ///< Guarded by mutex_.
  std::vector<Parcel> delivering_;
  std::thread thread_;
};

}  // namespace marquee::http
