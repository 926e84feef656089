// Who may ask with a write key, and from which pages.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "marquee/http/message.h"

namespace marquee::ingest {

/// What a write key opens.
struct WriteKey {
  std::string site_id;
  std::string allowed_origin = "*";  ///< For CORS.
  bool consent_required = false;
  bool trusted = false;          ///< Server-side key: may send any age and received_time (importers).
  double events_per_second = 0;  ///< 0: the default of CollectorOptions.
};

using FindKey = std::function<std::optional<WriteKey>(std::string_view key)>;

/// The key of "Authorization: Bearer KEY"; empty where there is none.
[[nodiscard]] std::string_view bearer(const http::Request& request);

/// `allowed` is a list separated by commas, or "*".
[[nodiscard]] bool is_origin_allowed(std::string_view allowed, std::string_view origin);

/// Lets the page at `origin` read the answer; nothing where it is empty.
void allow_origin(http::Response& response, std::string_view origin);

/// To OPTIONS. The key is not in a preflight, so any origin may ask; the request itself is then held to its site's
/// origins.
[[nodiscard]] http::Response preflight_answer(const http::Request& request);

/// {"error":{"status":...,"message":...}}
[[nodiscard]] http::Response error_answer(unsigned status, std::string_view message);

/// Why a request is refused for its key or its origin; nullopt where it is not. `what` is what the site would not give
/// to that origin.
[[nodiscard]] std::optional<http::Response> refuse_access(const http::Request& request, std::string_view key,
                                                          const std::optional<WriteKey>& owner, std::string_view what);

/// A transparent GIF of one pixel, not to be kept.
[[nodiscard]] http::Response pixel_answer();

}  // namespace marquee::ingest
