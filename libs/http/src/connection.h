// One client's connection: reads requests one after another, gives each to its handler, sends the answers in order.
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "io_thread.h"
#include "marquee/http/server.h"
#include "request_parser.h"
#include "response_writer.h"

namespace marquee::http {

/// What the connections of a server have in common. Used on I/O threads only, which end before it does.
struct Service {
  ServerOptions options;
  Router router;
  RequestLimits limits;
  boost::asio::thread_pool* workers = nullptr;
  std::atomic<std::size_t> connections = 0;
  std::atomic<bool> is_stopping = false;
};

/// How much of a streamed answer waits to be sent. Thread safe.
class StreamState {
 public:
  /// Counts `bytes` as waiting. Blocks while too many wait, if `may_block`. False once the client is gone.
  bool add(std::size_t bytes, bool may_block);
  void sent(std::size_t bytes);
  void close();
  [[nodiscard]] bool is_open() const;

 private:
  static constexpr std::size_t kMostWaiting = std::size_t{4} << 20;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t waiting_ = 0;
  bool is_open_ = true;
};

/// Lives on one IoThread; all but the constructor and the destructor run there, so nothing is locked.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Clock = std::chrono::steady_clock;

  Connection(std::shared_ptr<IoThread> io, boost::asio::ip::tcp::socket socket, Service& service);

  /// Enters the thread's list and begins to read; `refused` answers 503 and ends.
  void start(bool refused);
  void take(Parcel parcel);
  void check_deadline(Clock::time_point now);
  /// Ends the connection when the request that it is at, if any, is answered.
  void stop_when_idle();
  void close();
  [[nodiscard]] const std::shared_ptr<IoThread>& io() const { return io_; }

 private:
  enum class State {
    reading,    ///< Waiting for a request, or amid one.
    answering,  ///< A request is with its handler, or its answer is being sent.
    lingering,  ///< All is said; what the client still sends is thrown away, so that it sees the answer.
    closed,
  };

  void read();
  void on_read(const boost::system::error_code& ec, std::size_t bytes);
  void process();
  void dispatch();
  void call(const Router::Route& route, Request request, Responder responder);
  void answer_at_once(const Response& response, AnswerForm form, bool keep_alive);
  void refuse(const Refusal& refusal);
  void flush();
  void wait_to_write();
  void watch_client();
  void tell_gone();
  void on_answered();
  void linger();
  [[nodiscard]] std::chrono::milliseconds lost_after() const {
    return std::chrono::milliseconds(service_.options.lost_after_ms);
  }
  void expire_after(std::uint64_t ms) { deadline_ = Clock::now() + std::chrono::milliseconds(ms); }

  std::shared_ptr<IoThread> io_;  // First: the socket needs its io_context to the end.
  boost::asio::ip::tcp::socket socket_;
  Service& service_;
  std::optional<IoThread::Connections::iterator> place_;
  State state_ = State::reading;
  Clock::time_point deadline_ = Clock::time_point::max();
  boost::beast::flat_buffer in_;
  std::optional<RequestParser> parser_;
  std::string remote_address_;
  std::deque<std::string> out_;
  std::size_t out_offset_ = 0;  ///< Of the first string in out_.
  std::shared_ptr<StreamState> stream_;
  std::function<void()> on_gone_;     ///< Of the request that is being answered.
  std::function<void()> on_written_;  ///< Likewise.
  bool is_watching_ = false;
  bool is_reading_ = false;
  bool is_writing_ = false;
  bool is_answer_complete_ = false;
  bool keep_alive_ = true;
};

}  // namespace marquee::http
