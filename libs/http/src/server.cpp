#include "marquee/http/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <future>
#include <mutex>
#include <thread>

#include "connection.h"
#include "io_thread.h"
#include "marquee/base/logging.h"

namespace marquee::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto kStopPoll = std::chrono::milliseconds(5);
constexpr auto kAcceptPause = std::chrono::milliseconds(50);  ///< Before the next try where no descriptor was free.

/// Deadlines are looked at this often: fine enough for the shortest of them, rare enough to cost nothing.
std::chrono::milliseconds sweep_interval(const ServerOptions& options) {
  const std::uint64_t shortest = std::min(options.idle_timeout_ms, options.read_timeout_ms);
  return std::chrono::milliseconds(std::clamp<std::uint64_t>(shortest / 4, 10, 500));
}

}  // namespace

class Server::Impl {
 public:
  Impl(ServerOptions options, Router router) {
    service_.limits = {.max_header_bytes = options.max_header_bytes, .max_body_bytes = options.max_body_bytes};
    service_.options = std::move(options);
    if (service_.options.max_body_for) service_.limits.max_body_for = &service_.options.max_body_for;
    service_.router = std::move(router);
  }

  ~Impl() { stop(0); }

  Result<void> start() {
    const ServerOptions& options = service_.options;
    error_code ec;
    const auto address = asio::ip::make_address(options.address, ec);
    if (ec) return Error::give_up(fmt::format("{} is not an address to listen on", options.address));
    workers_ = std::make_unique<asio::thread_pool>(std::max(1U, options.worker_threads));
    service_.workers = workers_.get();
    for (unsigned i = 0; i < std::max(1U, options.io_threads); ++i) {
      threads_.push_back(std::make_shared<IoThread>(sweep_interval(options)));
    }
    acceptor_ = std::make_unique<tcp::acceptor>(threads_.front()->context());
    pause_ = std::make_unique<asio::steady_timer>(threads_.front()->context());
    const tcp::endpoint endpoint(address, options.port);
    acceptor_->open(endpoint.protocol(), ec);
    if (!ec) acceptor_->set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec) acceptor_->bind(endpoint, ec);
    if (!ec) acceptor_->listen(tcp::acceptor::max_listen_connections, ec);
    if (ec) {
      return Error::give_up(
          fmt::format("cannot listen on {} port {}: {}", options.address, options.port, ec.message()));
    }
    port_ = acceptor_->local_endpoint(ec).port();
    is_running_ = true;
    accept();
    for (const auto& thread : threads_) thread->start();
    return {};
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }

  void stop(std::uint64_t grace_ms) {
    const std::lock_guard lock(stop_mutex_);
    if (!is_running_) return;
    is_running_ = false;
    service_.is_stopping = true;
    // Waits until the listening socket is closed, so that its port is free when this returns.
    std::promise<void> closed;
    asio::post(threads_.front()->context(), [&] {
      error_code ec;
      acceptor_->close(ec);
      pause_->cancel();
      closed.set_value();
    });
    closed.get_future().wait();
    each_connection([](Connection& connection) { connection.stop_when_idle(); });
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(grace_ms);
    while (service_.connections > 0 && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(kStopPoll);
    // Before the workers are joined: one that waits for a slow client is let go when that client's connection ends.
    each_connection([](Connection& connection) { connection.close(); });
    workers_->join();
    each_connection([](Connection& connection) { connection.close(); });
    for (const auto& thread : threads_) thread->join();
  }

 private:
  void accept() {
    const auto& io = threads_[next_thread_++ % threads_.size()];
    acceptor_->async_accept(io->context(), [this, io](const error_code& ec, tcp::socket socket) {
      if (service_.is_stopping) return;
      if (ec) {
        if (ec == asio::error::operation_aborted) return;
        logging::warn("http.accept_failed", {{"error", ec.message()}});
        pause_->expires_after(kAcceptPause);
        pause_->async_wait([this](const error_code& cancelled) {
          if (!cancelled) accept();
        });
        return;
      }
      const bool refused = ++service_.connections > service_.options.max_connections;
      auto connection = std::make_shared<Connection>(io, std::move(socket), service_);
      asio::post(io->context(), [connection = std::move(connection), refused] { connection->start(refused); });
      accept();
    });
  }

  /// Runs `visit` for every connection on its own thread, and waits until all were visited.
  template <class Visit>
  void each_connection(Visit visit) {
    for (const auto& thread : threads_) {
      std::promise<void> done;
      asio::post(thread->context(), [&] {
        thread->each_connection(visit);
        done.set_value();
      });
      done.get_future().wait();
    }
  }

  Service service_;
  std::unique_ptr<asio::thread_pool> workers_;
  std::vector<std::shared_ptr<IoThread>> threads_;
  std::unique_ptr<tcp::acceptor> acceptor_;  // Used on the first thread only once that runs.
  std::unique_ptr<asio::steady_timer> pause_;
  std::size_t next_thread_ = 0;
  std::uint16_t port_ = 0;
  std::mutex stop_mutex_;
  bool is_running_ = false;  ///< Guarded by stop_mutex_ after start().
};

Server::Server(ServerOptions options, Router router)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(router))) {}
Server::~Server() = default;
Result<void> Server::start() { return impl_->start(); }
std::uint16_t Server::port() const { return impl_->port(); }
void Server::stop(std::uint64_t grace_ms) { impl_->stop(grace_ms); }

}  // namespace marquee::http
