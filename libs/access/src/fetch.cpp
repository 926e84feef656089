#include "fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <chrono>
#include <string_view>

namespace marquee::access {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace beast_http = boost::beast::http;
using asio::ip::tcp;
using beast::error_code;

constexpr std::size_t kMostAnswerBytes = 1024 * 1024;

struct FetchUrl {
  bool is_tls = false;
  std::string host, port, authority, target;
};

Result<FetchUrl> parse_fetch_url(std::string_view text) {
  FetchUrl url;
  url.is_tls = text.starts_with("https://");
  if (!url.is_tls && !text.starts_with("http://"))
    return Error::reject("expected an address that begins with https://");
  text.remove_prefix(url.is_tls ? 8 : 7);
  const auto end = std::min(text.find('/'), text.size());
  url.authority = std::string(text.substr(0, end));
  url.target = end == text.size() ? "/" : std::string(text.substr(end));
  if (url.authority.empty() || url.authority.find_first_of("@ \t\r\n?#") != std::string::npos ||
      url.target.find_first_of(" \t\r\n#") != std::string::npos)
    return Error::reject("expected an address of a host, without user or fragment");
  const bool is_v6 = url.authority.front() == '[';
  const auto close = is_v6 ? url.authority.find(']') : 0;
  if (close == std::string::npos) return Error::reject("expected ] after the address of the host");
  const auto colon = url.authority.find(':', close);
  url.host = is_v6 ? url.authority.substr(1, close - 1) : url.authority.substr(0, colon);
  url.port = colon == std::string::npos ? (url.is_tls ? "443" : "80") : url.authority.substr(colon + 1);
  return url;
}

class Fetching {
 public:
  Fetching(const FetchRequest& request, const FetchUrl& url) : request_(request), url_(url) {}

  Result<FetchAnswer> run() {
    tcp::resolver resolver(context_);
    error_code ec;
    const auto endpoints = resolver.resolve(url_.host, url_.port, ec);
    if (ec) return Error::retry(fmt::format("{} is not known: {}", url_.host, ec.message()));
    if (!url_.is_tls)
      for (const auto& one : endpoints)
        if (!one.endpoint().address().is_loopback())
          return Error::reject(fmt::format("{} is asked by https:// only", url_.host));
    beast::tcp_stream stream(context_);
    deadline_ = std::chrono::steady_clock::now() + request_.timeout;
    stream.expires_at(deadline_);
    stream.async_connect(endpoints, [&](const error_code& result, const tcp::endpoint&) { ec = result; });
    wait();
    if (ec) return failed(ec);
    return url_.is_tls ? over_tls(std::move(stream)) : exchange(stream, stream);
  }

 private:
  [[nodiscard]] Error failed(const error_code& ec) const {
    return Error::retry(fmt::format("{}: {}", url_.authority,
                                    ec == beast::error::timeout ? "it did not answer in time" : ec.message()));
  }

  Result<FetchAnswer> over_tls(beast::tcp_stream plain) {
    asio::ssl::context tls(asio::ssl::context::tls_client);
    error_code ec;
    SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
    if (request_.ca_file.empty()) {
      tls.set_default_verify_paths(ec);
    } else {
      tls.load_verify_file(request_.ca_file, ec);
    }
    if (ec) return Error::retry(fmt::format("the certificates to check by cannot be read: {}", ec.message()));
    beast::ssl_stream<beast::tcp_stream> stream(std::move(plain), tls);
    stream.set_verify_mode(asio::ssl::verify_peer);
    stream.set_verify_callback(asio::ssl::host_name_verification(url_.host));
    asio::ip::make_address(url_.host, ec);
    if (ec) SSL_set_tlsext_host_name(stream.native_handle(), url_.host.c_str());  // Names only, RFC 6066, section 3.
    ec = {};
    auto& lowest = beast::get_lowest_layer(stream);
    lowest.expires_at(deadline_);
    stream.async_handshake(asio::ssl::stream_base::client, [&](const error_code& result) { ec = result; });
    wait();
    if (ec) return failed(ec);
    return exchange(stream, lowest);
  }

  template <class Stream>
  Result<FetchAnswer> exchange(Stream& stream, beast::tcp_stream& lowest) {
    const auto verb = request_.body.empty() ? beast_http::verb::get : beast_http::verb::post;
    beast_http::request<beast_http::string_body> request(verb, url_.target, 11);
    for (const auto& [name, value] : request_.fields) request.set(name, value);
    request.set(beast_http::field::host, url_.authority);
    request.set(beast_http::field::user_agent, "Marquee");
    request.set(beast_http::field::connection, "close");
    request.body() = request_.body;
    request.prepare_payload();
    error_code ec;
    lowest.expires_at(deadline_);
    beast_http::async_write(stream, request, [&](const error_code& result, std::size_t) { ec = result; });
    wait();
    if (ec) return failed(ec);
    beast::flat_buffer buffer;
    beast_http::response_parser<beast_http::string_body> parser;
    parser.body_limit(kMostAnswerBytes);
    lowest.expires_at(deadline_);
    beast_http::async_read(stream, buffer, parser, [&](const error_code& result, std::size_t) { ec = result; });
    wait();
    if (ec) return failed(ec);
    return FetchAnswer{.status = parser.get().result_int(), .body = std::move(parser.get().body())};
  }

  void wait() {
    context_.restart();
    context_.run();
  }

  const FetchRequest& request_;
  const FetchUrl& url_;
  asio::io_context context_{1};
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace

Result<FetchAnswer> fetch(const FetchRequest& request) {
  const auto url = parse_fetch_url(request.url);
  if (!url) return Error::reject(fmt::format("{}: {}", request.url.substr(0, 200), url.error().message));
  return Fetching(request, *url).run();
}

}  // namespace marquee::access
