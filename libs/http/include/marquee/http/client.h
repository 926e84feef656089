// A blocking HTTP/1.1 client with a pool of keep-alive connections to one origin.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "marquee/base/result.h"
#include "marquee/http/message.h"

namespace marquee::http {

struct ClientOptions {
  std::uint64_t connect_timeout_ms = 2'000;
  std::uint64_t timeout_ms =
      30'000;  ///< For the whole exchange; 0 waits as long as the connection lives (see lost_after_ms).
  /// A peer whose machine acknowledges nothing for so long (1'000 at least) is lost, however long the exchange may
  /// take. One that is only slow, or stopped, is not.
  std::uint64_t lost_after_ms = 30'000;
  std::size_t max_response_bytes = std::size_t{1} << 30;
  std::size_t pool_size = 16;
};

/// What is known when a request failed: a request that was never sent may be repeated without harm.
enum class Delivery {
  not_sent,  ///< No byte of it reached the peer's kernel with success: safe to repeat.
  unknown,   ///< The peer may have acted on it.
};

struct Failure {
  Delivery delivery = Delivery::unknown;
  bool timed_out = false;
  std::string message;
};

/// Thread safe; each call takes a pooled connection or opens one.
class Client {
 public:
  /// `origin` is "http://host:port".
  explicit Client(std::string origin, ClientOptions options = {});
  ~Client();

  /// `target` is path and query. A pooled connection that the peer had closed is replaced and the request repeated only
  /// if no byte of it was sent. `timeout_ms` overrides the option where not negative (0: no limit).
  [[nodiscard]] std::expected<Response, Failure> send(std::string_view method, std::string_view target,
                                                      const Headers& headers, std::string_view body,
                                                      std::int64_t timeout_ms = -1);

  /// As send, but gives the body in pieces to `on_data` as it arrives; returning false cancels. The Response's body is
  /// empty. `on_head`, if given, gets the Response before its body; false cancels, too.
  [[nodiscard]] std::expected<Response, Failure> send_streaming(
      std::string_view method, std::string_view target, const Headers& headers, std::string_view body,
      const std::function<bool(std::string_view)>& on_data, std::int64_t timeout_ms = -1,
      const std::function<bool(const Response&)>& on_head = {});

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace marquee::http
