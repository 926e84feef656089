// Status lines and the answers that the server gives of itself.
#pragma once

#include <string>
#include <string_view>

#include "marquee/http/message.h"

namespace marquee::http {

/// The reason phrase of a status (RFC 9110, section 15), or "Unknown".
[[nodiscard]] std::string_view reason_of(unsigned status);

/// {"error":{"status":404,"message":"..."}}
[[nodiscard]] Response error_response(unsigned status, std::string_view message);

}  // namespace marquee::http
