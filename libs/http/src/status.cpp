#include "status.h"

#include <fmt/format.h>

#include <boost/beast/http/status.hpp>

namespace marquee::http {

std::string_view reason_of(unsigned status) {
  const auto reason = boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(status));
  return reason == "<unknown-status>" ? std::string_view("Unknown") : std::string_view(reason.data(), reason.size());
}

Response error_response(unsigned status, std::string_view message) {
  std::string escaped;
  for (const char c : message) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      escaped += '\\';
      escaped += c;
    } else if (byte < 0x20 || byte >= 0x7f) {
      // What a request held may be of any bytes; JSON wants UTF-8.
      escaped += byte < 0x20 ? fmt::format("\\u{:04x}", static_cast<unsigned>(byte)) : std::string("?");
    } else {
      escaped += c;
    }
  }
  return Response::json(status, fmt::format("{{\"error\":{{\"status\":{},\"message\":\"{}\"}}}}", status, escaped));
}

}  // namespace marquee::http
