#include "request_parser.h"

#include <algorithm>
#include <boost/beast/http/error.hpp>
#include <limits>

namespace marquee::http {
namespace {

constexpr std::size_t kLastChunkBytes = 5;  ///< The shortest: "0", two line ends.

namespace beast = boost::beast;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

/// Path and query of a request target in origin, absolute or asterisk form (RFC 9112, section 3.2).
std::string_view origin_form(std::string_view target) {
  if (target.starts_with('/')) return target;
  const std::size_t scheme = target.find("://");
  if (scheme == std::string_view::npos) return target;
  const std::size_t path = target.find_first_of("/?", scheme + 3);
  return path == std::string_view::npos ? std::string_view("/") : target.substr(path);
}

}  // namespace

RequestParser::RequestParser(const RequestLimits& limits) : limits_(limits) {
  // The limits are kept here, where the path is known; Beast's own would answer before it is.
  header_limit(static_cast<std::uint32_t>(
      std::min<std::size_t>(limits.max_header_bytes, std::numeric_limits<std::uint32_t>::max())));
  body_limit(boost::none);
  eager(true);
}

std::size_t RequestParser::feed(std::string_view bytes) {
  // A chunked body that is not at its end has at least a last chunk ("0", two line ends) to come. Beast 1.81 asserts
  // that when it looks at a last chunk again, and so would end the process of whoever is sent one in small pieces.
  if (is_head_read_ && chunked() && bytes.size() < kLastChunkBytes) return 0;
  beast::error_code ec;
  const std::size_t taken = put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec);
  if (is_refused()) return taken;
  // What is left, if anything, is the beginning of a line: of the head, of a chunk's size, or of the trailer.
  const std::size_t left = bytes.size() - taken;
  if (!is_head_read_) head_bytes_ += taken;
  const bool is_too_long = (is_head_read_ ? 0 : head_bytes_) + left > limits_.max_header_bytes;
  if (ec == beast::http::error::header_limit || (!is_done() && is_too_long)) {
    refusal_ = {431, "the head of the request is too large"};
  } else if (ec && ec != beast::http::error::need_more) {
    refusal_ = {400, "the request is not HTTP/1.1"};
  }
  return taken;
}

bool RequestParser::take_expectation() {
  const bool waits = expects_continue_ && is_head_read_ && !is_done();
  if (waits) expects_continue_ = false;
  return waits;
}

std::size_t RequestParser::remaining_body() const {
  if (!is_head_read_ || is_done()) return 0;
  const auto length = content_length_remaining();
  return length ? static_cast<std::size_t>(*length) : 0;
}

void RequestParser::refuse(unsigned status, std::string_view message, ErrorCode& ec) {
  refusal_ = {status, message};
  ec = beast::http::make_error_code(beast::http::error::body_limit);
}

void RequestParser::on_request_impl(beast::http::verb, View method, View target, int version, ErrorCode& ec) {
  is_http10_ = version < 11;
  request_.method = view(method);
  std::string_view rest = origin_form(view(target));
  rest = rest.substr(0, std::min(rest.find('#'), rest.size()));
  const std::size_t mark = std::min(rest.find('?'), rest.size());
  request_.query = rest.substr(std::min(mark + 1, rest.size()));
  request_.path = percent_decode(rest.substr(0, mark));
  if (request_.path.empty()) request_.path = "/";
  if (request_.path.find('\0') != std::string::npos) return refuse(400, "the path holds a zero byte", ec);
  if (!request_.path.starts_with('/') && request_.path != "*") refuse(400, "the path does not begin with /", ec);
}

void RequestParser::on_field_impl(beast::http::field field, View name, View value, ErrorCode& ec) {
  // Trailers come after the body; taken for headers, they would say things that no one checked.
  if (is_head_read_) return;
  if (field == beast::http::field::host) {
    if (has_host_) return refuse(400, "the request has more than one Host", ec);
    has_host_ = true;
  }
  if (field == beast::http::field::transfer_encoding) has_transfer_encoding_ = true;
  if (field == beast::http::field::expect && beast::iequals(value, "100-continue")) expects_continue_ = !is_http10_;
  request_.headers.add(std::string(view(name)), std::string(view(value)));
}

void RequestParser::on_header_impl(ErrorCode& ec) {
  is_head_read_ = true;
  if (!is_http10_ && !has_host_) return refuse(400, "the request has no Host", ec);
  // A coding that is not understood leaves the end of the body unknown (RFC 9112, section 6.1).
  if (has_transfer_encoding_ && (!chunked() || is_http10_)) {
    return refuse(501, "of the transfer codings only chunked is known", ec);
  }
  const bool asks = limits_.max_body_for != nullptr && *limits_.max_body_for;
  max_body_ = limits_.max_body_bytes;
  if (asks) max_body_ = std::max(max_body_, (*limits_.max_body_for)(request_.path));
  const auto length = content_length();
  if (length && *length > max_body_) refuse(413, "the body is larger than this server takes", ec);
}

void RequestParser::on_body_init_impl(const boost::optional<std::uint64_t>& content_length, ErrorCode&) {
  // The announced length is not trusted with more memory than arrives soon.
  constexpr std::uint64_t kMostReserved = 1024 * 1024;
  if (content_length) request_.body.reserve(static_cast<std::size_t>(std::min(*content_length, kMostReserved)));
}

std::size_t RequestParser::on_body_impl(View body, ErrorCode&) {
  request_.body.append(body.data(), body.size());
  return body.size();
}

std::size_t RequestParser::on_chunk_body_impl(std::uint64_t, View body, ErrorCode& ec) {
  if (body.size() > max_body_ - request_.body.size()) {
    refuse(413, "the body is larger than this server takes", ec);
    return 0;
  }
  return on_body_impl(body, ec);
}

}  // namespace marquee::http
