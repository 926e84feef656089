#include "marquee/http/client.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <chrono>
#include <mutex>
#include <optional>
#include <vector>

#include "lost_peer.h"

namespace marquee::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using beast::error_code;

constexpr std::size_t kReadPiece = 64 * 1024;

}  // namespace

// Fields of Client::Impl are of these two, which so are not in the anonymous namespace.

struct Origin {
  std::string host;
  std::string port = "80";
  std::string header;   ///< The Host field.
  std::string problem;  ///< Empty where the origin is usable.
};

namespace {

Origin parse_origin(std::string_view text) {
  Origin origin;
  constexpr std::string_view kScheme = "http://";
  if (!text.starts_with(kScheme)) {
    origin.problem = fmt::format("{} is not an http:// address", text);
    return origin;
  }
  text.remove_prefix(kScheme.size());
  text = text.substr(0, text.find('/'));
  origin.header = std::string(text);
  const std::size_t bracket = text.rfind(']');
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    origin.port = std::string(text.substr(colon + 1));
    text = text.substr(0, colon);
  }
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  origin.host = std::string(text);
  if (origin.host.empty()) origin.problem = "the address names no host";
  return origin;
}

}  // namespace

/// One connection with an event loop of its own, run by the caller's thread while it has something to wait for.
class Wire {
 public:
  using Deadline = std::optional<std::chrono::steady_clock::time_point>;

  explicit Wire(std::chrono::milliseconds lost_after) : lost_after_(lost_after) {}

  /// Connects; false with `ec` set.
  bool connect(const Origin& origin, std::uint64_t timeout_ms, error_code& ec) {
    tcp::resolver resolver(context_);
    const auto endpoints = resolver.resolve(origin.host, origin.port, ec);
    if (ec) return false;
    stream_.expires_after(std::chrono::milliseconds(timeout_ms));
    stream_.async_connect(endpoints, [&](const error_code& result, const tcp::endpoint&) { ec = result; });
    context_.run();
    if (ec) return false;
    error_code ignored;
    stream_.socket().set_option(tcp::no_delay(true), ignored);
    // What the peer has not acknowledged goes with the connection: the kernel would go on delivering it after the
    // caller has given up, or died, and what arrives then may be done twice.
    stream_.socket().set_option(tcp::socket::linger(true, 0), ignored);
    probe_when_idle(stream_.socket().native_handle(), lost_after_);
    return true;
  }

  /// True where the peer closed it while it lay in the pool (or said something unasked).
  [[nodiscard]] bool is_stale() {
    char byte = 0;
    const auto got = ::recv(stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  }

  void set_deadline(Deadline deadline) { deadline_ = deadline; }

  /// Sends head and body; `sent` counts the bytes that the kernel took.
  error_code write(std::string_view head, std::string_view body, std::size_t& sent) {
    error_code result;
    std::size_t offset = 0;
    const std::size_t total = head.size() + body.size();
    while (offset < total) {
      const std::string_view rest_of_head = head.substr(std::min(offset, head.size()));
      const std::string_view rest_of_body = body.substr(offset > head.size() ? offset - head.size() : 0);
      const std::array<asio::const_buffer, 2> pieces{asio::buffer(rest_of_head), asio::buffer(rest_of_body)};
      arm();
      stream_.async_write_some(pieces, [&](const error_code& ec, std::size_t bytes) {
        result = ec;
        offset += bytes;
      });
      run(result);
      sent = offset;
      if (result) return result;
    }
    return {};
  }

  template <class Parser>
  error_code read_head(Parser& parser) {
    error_code result;
    arm();
    beast::http::async_read_header(stream_, buffer_, parser, [&](const error_code& ec, std::size_t) { result = ec; });
    run(result);
    return result;
  }

  template <class Parser>
  error_code read_some(Parser& parser) {
    error_code result;
    arm();
    beast::http::async_read_some(stream_, buffer_, parser, [&](const error_code& ec, std::size_t) { result = ec; });
    run(result);
    return result;
  }

 private:
  void arm() {
    if (deadline_) {
      stream_.expires_at(*deadline_);
    } else {
      stream_.expires_never();
    }
  }
  /// Until what was begun has ended; `result` is its error.
  void run(error_code& result) {
    bool is_lost = false;
    context_.restart();
    while (context_.run_for(lost_after_ / 4), !context_.stopped()) {
      is_lost = is_peer_lost(stream_.socket().native_handle(), lost_after_);
      if (is_lost) stream_.close();
    }
    if (is_lost) result = asio::error::timed_out;
  }

  const std::chrono::milliseconds lost_after_;
  asio::io_context context_{1};
  beast::tcp_stream stream_{context_};
  beast::flat_buffer buffer_;
  Deadline deadline_;
};

namespace {

bool is_timeout(const error_code& ec) { return ec == beast::error::timeout || ec == asio::error::timed_out; }

std::string write_head(std::string_view method, std::string_view target, const Origin& origin, const Headers& headers,
                       std::size_t body_bytes) {
  std::string head = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\n", method, target, origin.header);
  for (const auto& [name, value] : headers.fields())
    fmt::format_to(std::back_inserter(head), "{}: {}\r\n", name, value);
  if (body_bytes > 0 || method == "POST" || method == "PUT") {
    fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", body_bytes);
  }
  return head += "\r\n";
}

/// A field with a line break would let its value write other fields.
bool is_clean(std::string_view method, std::string_view target, const Headers& headers) {
  const auto clean = [](std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos;
  };
  return clean(method) && clean(target) && target.find(' ') == target.npos &&
         std::ranges::all_of(headers.fields(),
                             [&](const auto& field) { return clean(field.first) && clean(field.second); });
}

}  // namespace

class Client::Impl {
 public:
  Impl(std::string_view origin, const ClientOptions& options) : origin_(parse_origin(origin)), options_(options) {}

  using OnData = std::function<bool(std::string_view)>;
  using OnHead = std::function<bool(const Response&)>;

  std::expected<Response, Failure> send(std::string_view method, std::string_view target, const Headers& headers,
                                        std::string_view body, const OnData& on_data, std::int64_t timeout_ms,
                                        const OnHead& on_head) {
    if (!origin_.problem.empty()) return refused(origin_.problem);
    if (!is_clean(method, target, headers)) return refused("the request has a line break or a space where none may be");
    Exchange exchange{
        write_head(method, target, origin_, headers, body.size()), body, method == "HEAD", on_data, on_head, {}};
    const std::uint64_t limit = timeout_ms < 0 ? options_.timeout_ms : static_cast<std::uint64_t>(timeout_ms);
    if (limit > 0) exchange.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit);
    for (;;) {
      std::unique_ptr<Wire> wire = from_pool();
      const bool is_pooled = wire != nullptr;
      if (!wire) {
        wire = std::make_unique<Wire>(std::chrono::milliseconds(options_.lost_after_ms));
        error_code ec;
        if (!wire->connect(origin_, options_.connect_timeout_ms, ec)) {
          return std::unexpected(Failure{Delivery::not_sent, is_timeout(ec),
                                         fmt::format("cannot connect to {}: {}", origin_.header, ec.message())});
        }
      }
      auto answer = run(std::move(wire), exchange);
      // The peer may close a connection just as it leaves the pool; then nothing of the request was taken.
      if (!answer && is_pooled && answer.error().delivery == Delivery::not_sent && !answer.error().timed_out) continue;
      return answer;
    }
  }

 private:
  struct Exchange {
    std::string head;
    std::string_view body;
    bool is_head = false;
    const OnData& on_data;  ///< Empty: the body goes to the Response.
    const OnHead& on_head;
    Wire::Deadline deadline;
  };

  static std::expected<Response, Failure> refused(std::string message) {
    return std::unexpected(Failure{Delivery::not_sent, false, std::move(message)});
  }

  static Failure cancelled() { return {Delivery::unknown, false, "cancelled"}; }

  std::unique_ptr<Wire> from_pool() {
    for (;;) {
      std::unique_ptr<Wire> wire;
      {
        const std::lock_guard lock(mutex_);
        if (pool_.empty()) return nullptr;
        wire = std::move(pool_.back());
        pool_.pop_back();
      }
      if (!wire->is_stale()) return wire;
    }
  }

  void to_pool(std::unique_ptr<Wire> wire) {
    const std::lock_guard lock(mutex_);
    if (pool_.size() < options_.pool_size) pool_.push_back(std::move(wire));
  }

  std::unexpected<Failure> broken(const error_code& ec, std::size_t sent) const {
    return std::unexpected(Failure{sent == 0 ? Delivery::not_sent : Delivery::unknown, is_timeout(ec),
                                   is_timeout(ec)
                                       ? fmt::format("{} did not answer in time", origin_.header)
                                       : fmt::format("the connection to {} broke: {}", origin_.header, ec.message())});
  }

  std::expected<Response, Failure> run(std::unique_ptr<Wire> wire, const Exchange& exchange) {
    wire->set_deadline(exchange.deadline);
    std::size_t sent = 0;
    const error_code write_error = wire->write(exchange.head, exchange.body, sent);
    if (write_error && sent == 0) return broken(write_error, sent);
    // A peer that refuses a long body answers before it has read all of it: its answer is worth more than the error.
    beast::http::response_parser<beast::http::buffer_body> parser;
    parser.body_limit(options_.max_response_bytes);
    parser.skip(exchange.is_head);
    if (const error_code ec = wire->read_head(parser)) return broken(write_error ? write_error : ec, sent);
    Response response;
    response.status = parser.get().result_int();
    for (const auto& field : parser.get()) {
      response.headers.add(std::string(field.name_string()), std::string(field.value()));
    }
    if (exchange.on_head && !exchange.on_head(response)) return std::unexpected(cancelled());
    if (auto failure = read_body(*wire, parser, exchange, response.body)) return std::unexpected(std::move(*failure));
    if (!write_error && parser.keep_alive()) to_pool(std::move(wire));
    return response;
  }

  std::optional<Failure> read_body(Wire& wire, beast::http::response_parser<beast::http::buffer_body>& parser,
                                   const Exchange& exchange, std::string& body) const {
    std::string piece(kReadPiece, '\0');
    while (!parser.is_done()) {
      parser.get().body().data = piece.data();
      parser.get().body().size = piece.size();
      error_code ec = wire.read_some(parser);
      if (ec == beast::http::error::need_buffer) ec = {};
      if (ec) return broken(ec, exchange.head.size()).error();
      const std::string_view got(piece.data(), piece.size() - parser.get().body().size);
      if (got.empty()) continue;
      if (!exchange.on_data) {
        body.append(got);
      } else if (!exchange.on_data(got)) {
        return cancelled();
      }
    }
    return std::nullopt;
  }

  const Origin origin_;
  const ClientOptions options_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Wire>> pool_;  ///< Guarded by mutex_.
};

Client::Client(std::string origin, ClientOptions options) : impl_(std::make_unique<Impl>(origin, options)) {}
Client::~Client() = default;

std::expected<Response, Failure> Client::send(std::string_view method, std::string_view target, const Headers& headers,
                                              std::string_view body, std::int64_t timeout_ms) {
  return impl_->send(method, target, headers, body, nullptr, timeout_ms, nullptr);
}

std::expected<Response, Failure> Client::send_streaming(std::string_view method, std::string_view target,
                                                        const Headers& headers, std::string_view body,
                                                        const std::function<bool(std::string_view)>& on_data,
                                                        std::int64_t timeout_ms,
                                                        const std::function<bool(const Response&)>& on_head) {
  return impl_->send(method, target, headers, body, on_data, timeout_ms, on_head);
}

}  // namespace marquee::http
