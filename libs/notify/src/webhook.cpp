#include "marquee/notify/webhook.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <charconv>
#include <chrono>

#include "addresses_of.h"
#include "marquee/base/result.h"
#include "marquee/notify/address.h"

namespace marquee::notify {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using beast::error_code;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr auto kLookEvery = std::chrono::milliseconds(100);  ///< For a stop that is asked for.
constexpr auto kGrace = std::chrono::seconds(2);             ///< For what is under way then.
constexpr auto kDrain = std::chrono::milliseconds(500);
constexpr std::size_t kMostBody = 64 * 1024;  ///< Of an answer; read so that its sender can end, and thrown away.
constexpr std::uint32_t kMostHead = 16 * 1024;

WebhookOutcome failed(std::string why) { return {.status = 0, .error = std::move(why), .retry_after = {}}; }

std::string text_of(const error_code& ec) {
  if (ec == beast::error::timeout || ec == asio::error::operation_aborted) return "it did not answer in time";
  return ec.message();
}

/// "120"; a date is not needed by anyone who sends to machines.
std::optional<Millis> retry_after_of(std::string_view text) {
  unsigned seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::chrono::seconds(seconds);
}

/// One exchange with an event loop of its own, run by the caller's thread.
class Exchange {
 public:
  Exchange(const WebhookOptions& options, const WebhookPost& post, const WebhookUrl& url, const std::stop_token& stop)
      : options_(options), post_(post), url_(url), stop_(stop) {}

  WebhookOutcome run() {
    const auto endpoints = allowed_endpoints();
    if (!endpoints) {
      auto outcome = failed(endpoints.error().message);
      outcome.is_refused = endpoints.error().action == Action::reject;
      return outcome;
    }
    deadline_ = std::chrono::steady_clock::now() + options_.timeout;
    const auto connect_by = std::min(deadline_, std::chrono::steady_clock::now() + options_.connect_timeout);
    beast::tcp_stream stream(context_);
    stream.expires_at(connect_by);
    error_code ec;
    stream.async_connect(*endpoints, [&](const error_code& result, const tcp::endpoint&) { ec = result; });
    wait(stream);
    if (ec) return failed(fmt::format("cannot connect to {}: {}", url_.header, text_of(ec)));
    return url_.is_tls ? over_tls(std::move(stream)) : exchange(stream, stream);
  }

 private:
  Result<std::vector<tcp::endpoint>> allowed_endpoints() {
    const auto found = addresses_of(options_.resolve, url_.host, options_.connect_timeout, stop_);
    if (!found) return found.error();
    std::vector<tcp::endpoint> allowed;
    for (const auto& address : *found)
      if (options_.allows_private || is_public(address))
        allowed.emplace_back(address, static_cast<std::uint16_t>(url_.port));
    if (allowed.empty())
      return Error::reject(
          fmt::format("{} is {}, which is no public address: webhooks.allow_private says whether such are sent to",
                      url_.host, found->front().to_string()));
    return allowed;
  }

  WebhookOutcome over_tls(beast::tcp_stream plain) {
    asio::ssl::context tls(asio::ssl::context::tls_client);
    error_code ec;
    SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
    if (options_.ca_file.empty()) {
      tls.set_default_verify_paths(ec);
    } else {
      tls.load_verify_file(options_.ca_file, ec);
    }
    if (ec) return failed(fmt::format("the certificates to check by cannot be read: {}", ec.message()));
    beast::ssl_stream<beast::tcp_stream> stream(std::move(plain), tls);
    stream.set_verify_mode(asio::ssl::verify_peer);
    stream.set_verify_callback(asio::ssl::host_name_verification(url_.host));
    // Names only, RFC 6066, section 3.
    asio::ip::make_address(url_.host, ec);
    if (ec) SSL_set_tlsext_host_name(stream.native_handle(), url_.host.c_str());
    auto& lowest = beast::get_lowest_layer(stream);
    lowest.expires_at(deadline_);
    stream.async_handshake(asio::ssl::stream_base::client, [&](const error_code& result) { ec = result; });
    wait(lowest);
    if (ec) {
      const auto verified = SSL_get_verify_result(stream.native_handle());
      const bool is_untrusted = verified != X509_V_OK;
      return failed(fmt::format("no safe connection to {}: {}", url_.header,
                                is_untrusted ? X509_verify_cert_error_string(verified) : text_of(ec)));
    }
    return exchange(stream, lowest);
  }

  template <class Stream>
  WebhookOutcome exchange(Stream& stream, beast::tcp_stream& lowest) {
    http::request<http::span_body<const char>> request(http::verb::post, url_.target, 11);
    for (const auto& [name, value] : post_.fields) request.set(name, value);
    request.set(http::field::host, url_.header);
    request.set(http::field::user_agent, options_.agent);
    request.set(http::field::connection, "close");
    request.body() = boost::beast::span<const char>(post_.body.data(), post_.body.size());
    request.prepare_payload();
    error_code ec;
    lowest.expires_at(deadline_);
    http::async_write(stream, request, [&](const error_code& result, std::size_t) { ec = result; });
    wait(lowest);
    const auto write_error = ec;
    beast::flat_buffer buffer;
    http::response_parser<http::buffer_body> parser;
    parser.header_limit(kMostHead);
    parser.body_limit(kMostBody);
    // A receiver that refuses a long body may answer before it has read all of it.
    lowest.expires_at(deadline_);
    ec = {};
    http::async_read_header(stream, buffer, parser, [&](const error_code& result, std::size_t) { ec = result; });
    wait(lowest);
    // A body that is said to be too long does not change what the head says.
    if (ec && ec != http::error::body_limit)
      return failed(fmt::format("{}: {}", url_.header, text_of(write_error ? write_error : ec)));
    auto outcome = outcome_of(parser.get().base());
    if (!ec) drain(stream, lowest, buffer, parser);
    return outcome;
  }

  template <class Stream, class Parser>
  void drain(Stream& stream, beast::tcp_stream& lowest, beast::flat_buffer& buffer, Parser& parser) {
    char piece[4096];
    error_code ec;
    lowest.expires_at(std::min(deadline_, std::chrono::steady_clock::now() + kDrain));
    while (!parser.is_done() && !ec) {
      parser.get().body().data = piece;
      parser.get().body().size = sizeof piece;
      http::async_read_some(stream, buffer, parser, [&](const error_code& result, std::size_t) { ec = result; });
      wait(lowest);
      if (ec == http::error::need_buffer) ec = {};
    }
  }

  static WebhookOutcome outcome_of(const http::response_header<>& head) {
    WebhookOutcome outcome{.status = static_cast<int>(head.result_int()), .error = {}, .retry_after = {}};
    if (outcome.status >= 200 && outcome.status < 300) return outcome;
    outcome.error = fmt::format("the receiver answered {}", outcome.status);
    if (outcome.status >= 300 && outcome.status < 400) outcome.error += "; redirects are not followed";
    outcome.retry_after = retry_after_of(head[http::field::retry_after]);
    return outcome;
  }

  /// Until what was begun has ended.
  void wait(beast::tcp_stream& stream) {
    context_.restart();
    while (context_.run_for(kLookEvery), !context_.stopped()) {
      if (!stop_.stop_requested()) continue;
      if (!stopped_at_) stopped_at_ = std::chrono::steady_clock::now();
      if (std::chrono::steady_clock::now() - *stopped_at_ > kGrace) stream.close();
    }
  }

  const WebhookOptions& options_;
  const WebhookPost& post_;
  const WebhookUrl& url_;
  const std::stop_token& stop_;
  asio::io_context context_{1};
  SteadyTime deadline_;
  std::optional<SteadyTime> stopped_at_;
};

}  // namespace

WebhookOutcome post_webhook(const WebhookOptions& options, const WebhookPost& post, const std::stop_token& stop) {
  const auto url = parse_webhook_url(post.url);
  if (!url) {
    auto outcome = failed(url.error().message);
    outcome.is_refused = true;
    return outcome;
  }
  return Exchange(options, post, *url, stop).run();
}

}  // namespace marquee::notify
