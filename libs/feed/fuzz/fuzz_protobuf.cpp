// A message of any bytes against a schema with every kind of field: no crash; what comes out is JSON wherever text was
// UTF-8. Where the first byte is odd, the rest is a .proto file: it compiles, or says why not.
#include <simdjson.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "decoder.h"
#include "protobuf_schema.h"

namespace {

constexpr std::string_view kProto = R"(
  syntax = "proto3";
  import "google/protobuf/timestamp.proto";
  import "google/protobuf/duration.proto";
  import "google/protobuf/wrappers.proto";
  import "google/protobuf/struct.proto";
  import "google/protobuf/any.proto";
  enum Kind { VIEW = 0; CLICK = 1; }
  message M {
    string id = 1; Kind kind = 2; int64 big = 3; optional int32 given = 4; bytes raw = 5; repeated double reals = 6;
    map<string, M> by_name = 7; map<int32, bool> flags = 8; M inner = 9; oneof choice { string text = 10; uint64 number = 11; }
    repeated Kind kinds = 12; sint32 zigzag = 13; google.protobuf.Timestamp at = 14; google.protobuf.Duration took = 15;
    google.protobuf.StringValue name = 16; google.protobuf.Struct any = 17; google.protobuf.Value value = 18;
    google.protobuf.Any packed = 19; repeated M list = 20; float small = 21; fixed64 fixed = 22;
  }
)";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto schema = marquee::feed::ProtobufSchema::compile({{"m.proto", kProto}});
  if (!schema) std::abort();
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  std::string json;
  if ((data[0] & 1U) != 0) {
    const auto compiled = marquee::feed::ProtobufSchema::compile({{"f.proto", input}});
    if (compiled) (void)(*compiled)->decode(std::string_view("\0\x0a\x01x", 4), json);
    return 0;
  }
  if (!(*schema)->decode(input, json)) return 0;
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  if (parser.parse(json).get(element) != simdjson::SUCCESS && simdjson::validate_utf8(json)) std::abort();
  return 0;
}
