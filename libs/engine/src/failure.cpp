#include "marquee/engine/failure.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace marquee::engine {

Failure failure(int code, std::string_view name, std::string_view text) {
  return {code, fmt::format("Code: {}. DB::Exception: {} ({})", code, text, name)};
}

Failure parse_failure(std::string text) {
  constexpr std::string_view kBegin = "Code: ";
  int code = 0;
  if (text.starts_with(kBegin)) {
    std::from_chars(text.data() + kBegin.size(), text.data() + text.size(), code);
  }
  if (code > 0) return {code, std::move(text)};
  return failure(kUnknown, "UNSUPPORTED_METHOD", text);
}

unsigned http_status(int code) {
  switch (code) {
    case 194:
      return 401;  // REQUIRED_PASSWORD
    case 192:
    case 193:
    case 195:
    case 291:
    case 497:
    case 512:
    case 516:
      return 403;  // Users, access
    case 6:
    case 8:
    case 15:
    case 25:
    case 26:
    case 27:
    case 36:
    case 38:
    case 41:
    case 43:
    case 44:
    case 53:
    case 59:
    case 62:
    case 69:
    case 70:
    case 72:
    case 117:
    case 130:
    case 167:
    case 168:
    case 349:
    case 376:
    case 386:
    case 427:
    case 456:
    case 457:
      return 400;  // What was sent cannot be read
    case 16:
    case 46:
    case 47:
    case 50:
    case 56:
    case 60:
    case 63:
    case 73:
    case 80:
    case 81:
    case 115:
    case 511:
      return 404;
    case 159:
      return 408;  // TIMEOUT_EXCEEDED
    case 381:
      return 411;  // HTTP_LENGTH_REQUIRED
    case 174:
      return 413;  // QUERY_IS_TOO_LARGE
    case 48:
      return 501;  // NOT_IMPLEMENTED
    case 76:
    case 202:
    case 209:
    case 439:
      return 503;  // Too many queries, socket timeout
    default:
      return 500;
  }
}

}  // namespace marquee::engine
