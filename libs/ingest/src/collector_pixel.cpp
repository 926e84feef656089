#include "collector_pixel.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <array>
#include <cstdint>

#include "marquee/base/json_text.h"
#include "marquee/event/field_names.h"

namespace marquee::ingest {
namespace {

// GIF89a, 1 x 1, two colours, the first of them transparent.
constexpr std::array<unsigned char, 43> kImage = {'G', 'I',  'F',  '8',  '9',  'a',  1, 0, 1, 0,    0x80, 0, 0,    0, 0,
                                                  0,   0xFF, 0xFF, 0xFF, 0x21, 0xF9, 4, 1, 0, 0,    0,    0, 0x2C, 0, 0,
                                                  0,   0,    1,    0,    1,    0,    0, 2, 2, 0x44, 1,    0, 0x3B};

std::string random_id() {
  std::array<std::uint64_t, 2> bits{};
  // Never fails for so few bytes (getrandom(2)).
  [[maybe_unused]] const auto got = ::getrandom(bits.data(), sizeof bits, 0);
  return fmt::format("pixel-{:016x}{:016x}", bits[0], bits[1]);
}

}  // namespace

std::string pixel_event(const http::Request& request) {
  std::string json;
  JsonObject object(json);
  bool has_identity = false;
  for (const auto& [name, value] : request.query_parameters()) {
    if (name == "key") continue;
    has_identity = has_identity || name == "external_id" || name == "session_id";
    if (event::is_number_field(name) && is_json_number(value)) {
      object.raw(name, value);
    } else {
      object.text(name, value);
    }
  }
  if (!has_identity) object.text("external_id", random_id());
  object.end();
  return json;
}

std::string_view pixel_image() { return {reinterpret_cast<const char*>(kImage.data()), kImage.size()}; }

}  // namespace marquee::ingest
