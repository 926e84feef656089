// Requests of any bytes: no crash; every event that is given is whole, encodes, and decodes to the same bytes; the
// counts add up.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "marquee/event/parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static marquee::event::Parser parser;
  if (size == 0) return 0;
  marquee::event::Context context;
  context.site_id = "campus";
  context.received_time_ms = 1'767'225'600'000;
  context.trusted = (data[0] & 1) != 0;
  context.consent_required = (data[0] & 2) != 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  if ((data[0] & 4) != 0) context.user_agent = text.substr(0, 200);
  std::uint32_t given = 0;
  const auto outcome = parser.parse(text, context, [&](const marquee::event::Event& event) {
    ++given;
    if (event.seq == 0 && event.external_id.empty()) std::abort();
    if (event.event_time_ms < 0) std::abort();
    std::string bytes;
    marquee::event::encode(event, bytes);
    const auto back = marquee::event::decode(bytes);
    if (!back) std::abort();
    std::string again;
    marquee::event::encode(*back, again);
    if (again != bytes) std::abort();
  });
  if (outcome && outcome->accepted != given) std::abort();
  if (!outcome && given != 0) std::abort();
  return 0;
}
