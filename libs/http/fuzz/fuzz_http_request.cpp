// Requests of any bytes, whole and in two pieces: no crash, the limits hold, and the cut makes no difference.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "request_parser.h"

namespace {

struct Outcome {
  bool complete = false;
  unsigned refused = 0;
  std::size_t taken = 0;
  marquee::http::Request request;
};

Outcome read(std::string_view bytes, std::size_t cut, const marquee::http::RequestLimits& limits) {
  marquee::http::RequestParser parser(limits);
  Outcome outcome;
  for (const std::size_t end : {cut, bytes.size()}) {
    while (!parser.is_complete() && !parser.is_refused()) {
      const auto taken = parser.feed(bytes.substr(outcome.taken, end - outcome.taken));
      if (taken > end - outcome.taken) std::abort();
      outcome.taken += taken;
      if (taken == 0) break;
    }
  }
  outcome.complete = parser.is_complete();
  outcome.refused = parser.is_refused() ? parser.refusal().status : 0;
  outcome.request = parser.request();
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  marquee::http::RequestLimits limits;
  limits.max_header_bytes = 1024;
  limits.max_body_bytes = 512;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto whole = read(bytes, bytes.size(), limits);
  if (whole.request.body.size() > limits.max_body_bytes) std::abort();
  if (!whole.complete) return 0;
  if (whole.request.method.empty() || whole.request.path.empty()) std::abort();
  (void)whole.request.query_parameters();
  // A head that arrives whole is taken although it is a little over the limit, which bounds what waits for more.
  if (bytes.find("\r\n\r\n") + 4 > limits.max_header_bytes) return 0;
  const auto cut = read(bytes, data[0] % (bytes.size() + 1), limits);
  if (!cut.complete || cut.taken != whole.taken || cut.request.body != whole.request.body ||
      cut.request.path != whole.request.path) {
    std::abort();
  }
  return 0;
}
