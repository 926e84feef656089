// A schema, a NUL, and a message of any bytes: no crash, no end of stack, memory or time; what comes out is JSON
// wherever text was UTF-8, and within its bound.
#include <simdjson.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "avro_decoder.h"
#include "decoder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto end = input.find('\0');
  if (end == std::string_view::npos) return 0;
  const auto schema = marquee::feed::AvroSchema::parse({input.substr(0, end)});
  if (!schema) return 0;
  std::string json;
  const auto done = marquee::feed::decode_avro(**schema, input.substr(end + 1), json);
  // One value may pass the bound before it is looked at; text at most doubles... sixfold where it is all control
  // characters.
  if (json.size() > marquee::feed::kMaxJsonBytes + 8 * size + 1024) std::abort();
  if (!done) return 0;
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  const auto error = parser.parse(json).get(element);
  if (error != simdjson::SUCCESS && error != simdjson::UTF8_ERROR && error != simdjson::DEPTH_ERROR &&
      simdjson::validate_utf8(json))
    std::abort();
  return 0;
}
