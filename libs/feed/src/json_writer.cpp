#include "json_writer.h"

#include <fmt/format.h>

#include <iterator>

#include "marquee/base/base64.h"
#include "marquee/base/json_text.h"

namespace marquee::feed {

void JsonWriter::whole(std::int64_t value) { fmt::format_to(std::back_inserter(out_), "{}", value); }
void JsonWriter::whole(std::uint64_t value) { fmt::format_to(std::back_inserter(out_), "{}", value); }

void JsonWriter::real(double value) {
  if (!std::isfinite(value)) return null();
  fmt::format_to(std::back_inserter(out_), "{}", value);
}

void JsonWriter::real(float value) {
  if (!std::isfinite(value)) return null();
  fmt::format_to(std::back_inserter(out_), "{}", value);
}

void JsonWriter::text(std::string_view value) { append_json_string(out_, value); }

void JsonWriter::bytes(std::string_view value) {
  out_ += '"';
  out_ += encode_base64(value);
  out_ += '"';
}

}  // namespace marquee::feed
