// HTTP requests and responses as Marquee's handlers see them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "marquee/base/result.h"

namespace marquee::http {

/// Header fields in order of arrival; names compare without case (RFC 9110, section 5.1).
class Headers {
 public:
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  void set(std::string_view name, std::string value);  ///< Replaces all fields of that name.
  /// The first field of that name, or an empty view. Valid while the Headers live unchanged.
  [[nodiscard]] std::string_view get(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// One request, body complete (never larger than ServerOptions::max_body_bytes) and as sent (still content-encoded).
struct Request {
  std::string method;  ///< "GET", "POST", ...
  std::string path;    ///< Percent-decoded, without the query.
  std::string query;   ///< Raw, without '?'.
  Headers headers;
  std::string body;
  std::string remote_address;                                        ///< Address of the peer, without port.
  std::vector<std::pair<std::string, std::string>> path_parameters;  ///< Filled by Router from "{name}".
  std::string actor;    ///< Who asks, as the router's guard found out; empty: it is not known.
  std::string session;  ///< By which of the actor's sessions; empty: by none.

  /// Value of a path parameter, or empty.
  [[nodiscard]] std::string_view path_parameter(std::string_view name) const;
  /// First query parameter of that name, percent-decoded ('+' is a space); nullopt where absent.
  [[nodiscard]] std::optional<std::string> query_parameter(std::string_view name) const;
  /// All query parameters in order, decoded.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> query_parameters() const;
};

struct Response {
  unsigned status = 200;
  Headers headers;
  std::string body;

  [[nodiscard]] static Response json(unsigned status, std::string body);
  [[nodiscard]] static Response text(unsigned status, std::string body);
};

/// Decodes `body` as `content_encoding` says ("", identity, gzip, deflate, zstd). Refuses (Action::reject) an unknown
/// encoding, a broken stream, and output beyond `max_bytes` (a decompression bomb stops there).
[[nodiscard]] Result<std::string> decode_body(std::string_view body, std::string_view content_encoding,
                                              std::size_t max_bytes);

/// Compresses with "gzip" or "zstd".
[[nodiscard]] Result<std::string> encode_body(std::string_view body, std::string_view content_encoding);

/// Encodes all but the unreserved characters (RFC 3986, section 2.3).
[[nodiscard]] std::string percent_encode(std::string_view text);
/// A '%' that two hexadecimal digits do not follow stays as it is.
[[nodiscard]] std::string percent_decode(std::string_view text, bool plus_is_space = false);

}  // namespace marquee::http
