#include "marquee/ingest/access.h"

#include <fmt/format.h>

#include <algorithm>

#include "collector_pixel.h"
#include "marquee/base/json_text.h"

namespace marquee::ingest {

std::string_view bearer(const http::Request& request) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view value = request.headers.get("Authorization");
  return value.starts_with(kScheme) ? value.substr(kScheme.size()) : std::string_view();
}

bool is_origin_allowed(std::string_view allowed, std::string_view origin) {
  if (allowed == "*") return true;
  while (!allowed.empty()) {
    const std::size_t comma = std::min(allowed.find(','), allowed.size());
    std::string_view one = allowed.substr(0, comma);
    allowed.remove_prefix(std::min(comma + 1, allowed.size()));
    one.remove_prefix(std::min(one.find_first_not_of(' '), one.size()));
    one = one.substr(0, one.find_last_not_of(' ') + 1);
    if (one == origin) return true;
  }
  return false;
}

void allow_origin(http::Response& response, std::string_view origin) {
  if (origin.empty()) return;
  response.headers.add("Access-Control-Allow-Origin", std::string(origin));
  response.headers.add("Access-Control-Expose-Headers", "Retry-After");
  response.headers.add("Vary", "Origin");
}

http::Response preflight_answer(const http::Request& request) {
  http::Response response;
  response.status = 204;
  allow_origin(response, request.headers.get("Origin"));
  response.headers.add("Access-Control-Allow-Methods", "POST");
  response.headers.add("Access-Control-Allow-Headers", "authorization, content-type, content-encoding");
  response.headers.add("Access-Control-Max-Age", "86400");
  return response;
}

http::Response error_answer(unsigned status, std::string_view message) {
  std::string body = fmt::format("{{\"error\":{{\"status\":{},\"message\":", status);
  append_json_string(body, message);
  return http::Response::json(status, body + "}}");
}

std::optional<http::Response> refuse_access(const http::Request& request, std::string_view key,
                                            const std::optional<WriteKey>& owner, std::string_view what) {
  if (key.empty()) {
    http::Response response =
        error_answer(401, "a write key is needed: Authorization: Bearer KEY (beacon and pixel: ?key=KEY)");
    response.headers.add("WWW-Authenticate", "Bearer");
    return response;
  }
  if (!owner) return error_answer(403, "this write key is not known");
  const std::string_view origin = request.headers.get("Origin");
  if (origin.empty() || is_origin_allowed(owner->allowed_origin, origin)) return std::nullopt;
  return error_answer(403, fmt::format("site {} {} {}", owner->site_id, what, origin));
}

http::Response pixel_answer() {
  http::Response response;
  response.headers.add("Content-Type", "image/gif");
  response.headers.add("Cache-Control", "no-store");
  // For pages that are isolated (COEP).
  response.headers.add("Cross-Origin-Resource-Policy", "cross-origin");
  response.body = pixel_image();
  return response;
}

}  // namespace marquee::ingest
