// Reads one HTTP/1.1 request from bytes as they arrive; Beast's parser, filling a Request without its containers.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "marquee/http/message.h"

namespace marquee::http {

struct RequestLimits {
  std::size_t max_header_bytes = 64 * 1024;
  std::size_t max_body_bytes = 8 * 1024 * 1024;
  const std::function<std::size_t(std::string_view path)>* max_body_for = nullptr;  ///< Null: max_body_bytes for all.
};

/// Why a request is refused.
struct Refusal {
  unsigned status = 400;
  std::string_view message;
};

/// One request. Not reusable: make another for the next.
class RequestParser final : public boost::beast::http::basic_parser<true> {
 public:
  explicit RequestParser(const RequestLimits& limits);

  /// Takes what it can of `bytes`, which begin with what it left the last time, and says how much that was.
  /// After a refusal or once complete it must not be fed again.
  std::size_t feed(std::string_view bytes);

  [[nodiscard]] bool is_complete() const { return is_done(); }
  [[nodiscard]] bool is_refused() const { return refusal_.status != 0; }
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }
  [[nodiscard]] bool is_http10() const { return is_http10_; }
  /// True once, when the client waits for "100 Continue" before it sends the body.
  [[nodiscard]] bool take_expectation();
  /// Bytes of the body that are still to come, as far as the head says.
  [[nodiscard]] std::size_t remaining_body() const;

  /// The request as far as it was read.
  Request& request() { return request_; }

 private:
  using ErrorCode = boost::beast::error_code;
  using View = boost::beast::string_view;

  void on_request_impl(boost::beast::http::verb, View method, View target, int version, ErrorCode& ec) override;
  void on_response_impl(int, View, int, ErrorCode&) override {}
  void on_field_impl(boost::beast::http::field field, View name, View value, ErrorCode& ec) override;
  void on_header_impl(ErrorCode& ec) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& content_length, ErrorCode& ec) override;
  std::size_t on_body_impl(View body, ErrorCode& ec) override;
  void on_chunk_header_impl(std::uint64_t, View, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t remain, View body, ErrorCode& ec) override;
  void on_finish_impl(ErrorCode&) override {}

  void refuse(unsigned status, std::string_view message, ErrorCode& ec);

  const RequestLimits& limits_;
  Request request_;
  Refusal refusal_{0, {}};
  std::size_t max_body_ = 0;
  std::size_t head_bytes_ = 0;
  bool is_http10_ = false;
  bool is_head_read_ = false;
  bool expects_continue_ = false;
  bool has_host_ = false;
  bool has_transfer_encoding_ = false;
};

}  // namespace marquee::http
