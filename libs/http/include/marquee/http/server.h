// The HTTP/1.1 server (Boost.Beast): asynchronous handlers, keep-alive, pipelining, streaming answers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "marquee/base/metrics.h"
#include "marquee/base/result.h"
#include "marquee/http/message.h"

namespace marquee::http {

/// The body of a streamed answer, sent in chunks. Thread safe; may be written from any thread.
class Stream {
 public:
  virtual ~Stream() = default;
  /// Queues a chunk. Blocks while more than 4 MiB wait to be sent (on an I/O thread it never blocks). False when the
  /// client is gone, which shows when bytes cannot be sent: write now and then where nothing happens for long.
  virtual bool write(std::string chunk) = 0;
  /// Ends the body. `clean` false breaks the connection without the last chunk, so that the client sees the failure.
  virtual void close(bool clean = true) = 0;
  [[nodiscard]] virtual bool is_open() const = 0;
};

/// Answers one request, once, from any thread. Movable. If dropped unanswered, the client gets 500.
class Responder {
 public:
  class Impl;
  explicit Responder(std::shared_ptr<Impl> impl);
  Responder(Responder&&) noexcept;
  Responder& operator=(Responder&&) noexcept;
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;
  ~Responder();

  /// `written`, if given, is called on an I/O thread once all of the answer is with the kernel; never where that does
  /// not come to be.
  void send(Response response, std::function<void()> written = {});
  /// Sends the head with Transfer-Encoding: chunked and gives the body to write.
  [[nodiscard]] std::shared_ptr<Stream> stream(Response head);

  /// Sends `head`'s status and fields now, while the answer is being made; `add_fields` sends further ones. What
  /// send() or stream() then get adds their fields and the body: the status has been said.
  void begin(const Response& head);
  void add_fields(const Headers& fields);
  [[nodiscard]] bool has_begun() const;
  /// Calls `gone` once, on an I/O thread, should the client end its side of the connection before the answer is
  /// complete; perhaps after that, too. Without it such a client is noticed only when bytes cannot be sent.
  void on_client_gone(std::function<void()> gone);

 private:
  std::shared_ptr<Impl> impl_;
};

/// Called on an I/O thread; must not block. Slow work goes to a thread of the handler's own (or Router::add_blocking).
using Handler = std::function<void(Request, Responder)>;
/// Called on a worker thread; may block.
using BlockingHandler = std::function<Response(const Request&)>;

/// Routes by method and path. Patterns are literal segments, "{name}" for one segment, and a last "{name*}" for the
/// rest. A literal path goes before a pattern, an earlier pattern before a later one; GET answers HEAD too. An unknown
/// path gives 404, a known path with another method 405 with Allow. Not thread safe; fill it before serving.
class Router {
 public:
  void add(std::string method, std::string pattern, Handler handler);
  void add_blocking(std::string method, std::string pattern, BlockingHandler handler);

  struct Route {
    std::string method;
    std::string pattern;
    Handler handler;
    BlockingHandler blocking;
  };
  /// Called for each request that has a route, on an I/O thread, before its handler; must not block. Whoever it answers
  /// goes no further. It may say in the request who asks. One that throws refuses with 500.
  using Guard = std::function<std::optional<Response>(const Route& route, Request& request)>;
  void set_guard(Guard guard) { guard_ = std::move(guard); }
  [[nodiscard]] const Guard& guard() const { return guard_; }
  struct Match {
    const Route* route = nullptr;
    std::vector<std::pair<std::string, std::string>> parameters;
    std::vector<std::string> allowed;  ///< Methods of the path, where the path is known and the method is not.
  };
  [[nodiscard]] Match match(std::string_view method, std::string_view path) const;
  [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  void index_last();

  std::vector<Route> routes_;
  Guard guard_;
  std::unordered_map<std::string, std::vector<std::size_t>, TextHash, std::equal_to<>> literals_;  ///< By whole path.
  std::vector<std::size_t> patterns_;  ///< Routes with a placeholder, in order.
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0 takes a free port; see Server::port().
  unsigned io_threads = 2;
  unsigned worker_threads = 8;
  std::size_t max_header_bytes = 64 * 1024;
  std::size_t max_body_bytes = 8 * 1024 * 1024;  ///< Beyond: 413.
  std::size_t max_connections = 10'000;          ///< Beyond: refused with 503 and Retry-After.
  std::uint64_t idle_timeout_ms = 75'000;        ///< A silent connection is closed.
  std::uint64_t read_timeout_ms = 30'000;        ///< A request begun must arrive within this (slow clients).
  std::uint64_t lost_after_ms = 30'000;          ///< A client whose machine acknowledges nothing for so long is gone.
  /// May read a longer body than max_body_bytes for this path (the store's inserts). Null: never.
  std::function<std::size_t(std::string_view path)> max_body_for;
};

/// Serves `router` until stopped. Thread safe after construction.
class Server {
 public:
  Server(ServerOptions options, Router router);
  ~Server();  ///< Stops.
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Binds and begins to accept. A taken port is Action::give_up and names address and port.
  [[nodiscard]] Result<void> start();
  [[nodiscard]] std::uint16_t port() const;
  /// Stops accepting, lets running requests end for at most `grace_ms`, closes. Idempotent.
  void stop(std::uint64_t grace_ms = 5'000);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace marquee::http
