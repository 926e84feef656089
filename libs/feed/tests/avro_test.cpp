// Avro as its specification has it, and as fastavro encodes it.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <fstream>

#include "avro_decoder.h"
#include "decoder.h"

namespace marquee::feed {
namespace {

using namespace std::string_literals;

/// The JSON, or what is wrong.
std::string decoded_avro(std::string_view schema, const std::string& bytes) {
  const auto parsed = AvroSchema::parse({schema});
  if (!parsed) return parsed.error().message;
  std::string json;
  const auto done = decode_avro(**parsed, bytes, json);
  return done ? json : done.error().message;
}

TEST(Avro, decodes_every_type) {
  EXPECT_EQ(decoded_avro(R"("null")", ""), "null");
  EXPECT_EQ(decoded_avro("string",
                         "\x06"
                         "abc"),
            "\"abc\"");  // The bare name.
  EXPECT_EQ(decoded_avro(R"({"type":"boolean"})", "\x01"), "true");
  EXPECT_EQ(decoded_avro(R"("int")", "\x01"), "-1");
  EXPECT_EQ(decoded_avro(R"("long")", "\x80\x01"), "64");
  EXPECT_EQ(decoded_avro(R"("long")", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "-9223372036854775808");
  EXPECT_EQ(decoded_avro(R"("float")", "\x00\x00\xc0\x3f"s), "1.5");
  EXPECT_EQ(decoded_avro(R"("double")", "\x9a\x99\x99\x99\x99\x99\xb9\x3f"s), "0.1");
  EXPECT_EQ(decoded_avro(R"("double")", "\x00\x00\x00\x00\x00\x00\xf8\x7f"s), "null");
  EXPECT_EQ(decoded_avro(R"("bytes")",
                         "\x06"
                         "abc"),
            "\"YWJj\"");
  EXPECT_EQ(decoded_avro(R"({"type":"fixed","name":"F","size":3})", "abc"), "\"YWJj\"");
  EXPECT_EQ(decoded_avro(R"({"type":"enum","name":"E","symbols":["A","B"]})", "\x02"), "\"B\"");
  EXPECT_EQ(decoded_avro(R"({"type":"array","items":"int"})", "\x04\x02\x04\x00"s), "[1,2]");
  EXPECT_EQ(decoded_avro(R"({"type":"array","items":"int"})", "\x03\x04\x02\x04\x02\x06\x00"s),
            "[1,2,3]");  // Two blocks.
  EXPECT_EQ(decoded_avro(R"({"type":"map","values":"long"})", "\x02\x02k\x08\x00"s), R"({"k":4})");
  EXPECT_EQ(decoded_avro(R"(["null","string"])", "\x00"s), "null");
  EXPECT_EQ(decoded_avro(R"(["null","string"])", "\x02\x02x"), "\"x\"");
}

TEST(Avro, reads_through_logical_types) {
  EXPECT_EQ(decoded_avro(R"({"type":"int","logicalType":"date"})", "\xbc\x9d\x02"), "\"2020-01-09\"");
  EXPECT_EQ(decoded_avro(R"({"type":"int","logicalType":"time-millis"})", "\x04"), "2");
  EXPECT_EQ(decoded_avro(R"({"type":"long","logicalType":"timestamp-millis"})", "\x04"), "2");
  EXPECT_EQ(decoded_avro(R"({"type":"long","logicalType":"timestamp-micros"})", "\x01"), "-1");
  EXPECT_EQ(decoded_avro(R"({"type":"long","logicalType":"local-timestamp-micros"})", "\xd0\x0f"), "1");
  const auto decimal = R"({"type":"bytes","logicalType":"decimal","precision":9,"scale":2})";
  EXPECT_EQ(decoded_avro(decimal, "\x04\x04\xd2"), "12.34");
  EXPECT_EQ(decoded_avro(decimal, "\x02\x05"), "0.05");
  EXPECT_EQ(decoded_avro(decimal, "\x02\xff"), "-0.01");
  EXPECT_EQ(decoded_avro(decimal, "\x20\x80"s + std::string(15, '\0')), "-1701411834604692317316873037158841057.28");
  EXPECT_EQ(decoded_avro(decimal, "\x22\x01"s + std::string(16, '\0')), "3.402823669209385e+36");
  EXPECT_EQ(decoded_avro(R"({"type":"fixed","name":"U","size":16,"logicalType":"uuid"})",
                         "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"),
            "\"01020304-0506-0708-090a-0b0c0d0e0f10\"");
  EXPECT_EQ(decoded_avro(R"({"type":"string","logicalType":"nobody-knows"})", "\x02x"), "\"x\"");
}

TEST(Avro, finds_named_types_in_their_namespace_in_references_and_in_themselves) {
  const auto list =
      R"({"type":"record","name":"a.List","fields":[{"name":"v","type":{"type":"enum","name":"E","symbols":["X"]}},
    {"name":"e","type":"E"},{"name":"next","type":["null","List"]}]})";
  EXPECT_EQ(decoded_avro(list, "\x00\x00\x02\x00\x00\x00"s),
            R"({"v":"X","e":"X","next":{"v":"X","e":"X","next":null}})");
  const auto referred =
      AvroSchema::parse({R"({"type":"record","name":"Id","namespace":"x.y","fields":[{"name":"n","type":"int"}]})",
                         R"({"type":"record","name":"T","namespace":"x","fields":[{"name":"id","type":"x.y.Id"}]})"});
  ASSERT_TRUE(referred) << referred.error().message;
  std::string json;
  ASSERT_TRUE(decode_avro(**referred, "\x02", json));
  EXPECT_EQ(json, R"({"id":{"n":1}})");
}

TEST(Avro, refuses_bytes_that_are_no_such_message) {
  EXPECT_EQ(decoded_avro(R"("long")", "\x80"), "the Avro message ends within a number (at byte 1)");
  EXPECT_EQ(decoded_avro(R"("long")", std::string(10, '\xff') + "\x01"),
            "the Avro message has a number of more than 64 bits (at byte 10)");
  EXPECT_EQ(decoded_avro(R"("int")", "\x80\x80\x80\x80\x10"),
            "the Avro message has an int of more than 32 bits (at byte 5)");
  EXPECT_EQ(decoded_avro(R"("string")", "\xfe\xff\xff\xff\x0f"),
            "the Avro message ends within a value of 2147483647 bytes (at byte 5)");
  EXPECT_EQ(decoded_avro(R"("bytes")", "\x01"), "the Avro message has a value of -1 bytes (at byte 1)");
  EXPECT_EQ(decoded_avro(R"("boolean")", "\x02"), "the Avro message has a boolean that is neither 0 nor 1 (at byte 1)");
  EXPECT_EQ(decoded_avro(R"(["null"])", "\x02"), "the Avro message has branch 1 of a union of 1 (at byte 1)");
  EXPECT_EQ(decoded_avro(R"({"type":"enum","name":"E","symbols":["A"]})", "\x0a"),
            "the Avro message has symbol 5 of an enum of 1 (at byte 1)");
  EXPECT_EQ(decoded_avro(R"("null")", "x"), "the Avro message goes on after its value (at byte 0 of 1)");
  EXPECT_EQ(decoded_avro(R"({"type":"array","items":"null"})", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
            "the Avro message ends within a number (at byte 10)");
  EXPECT_EQ(decoded_avro(R"({"type":"array","items":"null"})", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00"s),
            "the Avro message has a block of too many items (at byte 11)");
}

// Each of these ends other decoders: by the stack, by memory, by time.
TEST(Avro, bounds_what_a_small_message_can_cost) {
  EXPECT_EQ(decoded_avro(R"({"type":"array","items":"null"})", "\x80\x80\x80\x80\x80\x80\x01\x00"s),
            fmt::format("the Avro message is more than {} bytes as JSON (at byte 7)", kMaxJsonBytes));
  const auto list = R"({"type":"record","name":"L","fields":[{"name":"next","type":["null","L"]}]})";
  EXPECT_TRUE(
      decoded_avro(list, std::string(200'000, '\x02')).starts_with("the Avro message is nested deeper than 64 levels"));
  std::string deep = R"("int")";
  for (int i = 0; i < 200; ++i) deep = R"({"type":"array","items":)" + deep + "}";
  EXPECT_EQ(decoded_avro(deep, ""), "the schema is nested deeper than 64 levels");
}

TEST(Avro, refuses_what_is_no_schema) {
  EXPECT_EQ(decoded_avro(R"({"type":"record","name":"R","fields":[{"name":"a","type":"Nobody"}]})", ""),
            "the schema names a type that it does not have: \"Nobody\"");
  for (const char* none : {"", "{", "7", "{}", R"({"type":"record"})", R"({"type":"record","name":"R"})",
                           R"({"type":"array"})", R"({"type":"map"})", R"({"type":"enum","name":"E"})",
                           R"({"type":"fixed","name":"F"})", R"({"type":"fixed","name":"F","size":99999999})",
                           R"([{"type":"fixed","name":"F","size":1},{"type":"fixed","name":"F","size":1}])"}) {
    EXPECT_FALSE(AvroSchema::parse({none})) << none;
  }
}

namespace dom = simdjson::dom;

/// Whether two JSON values are the same; numbers by what a double holds of them, objects in any order.
bool is_same(dom::element a, dom::element b) {
  if (dom::array list, other; a.get(list) == simdjson::SUCCESS) {
    if (b.get(other) != simdjson::SUCCESS || list.size() != other.size()) return false;
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (!is_same(list.at(i), other.at(i))) return false;
    }
    return true;
  }
  if (dom::object object, other; a.get(object) == simdjson::SUCCESS) {
    if (b.get(other) != simdjson::SUCCESS || object.size() != other.size()) return false;
    for (const auto& [name, value] : object) {
      dom::element found;
      if (other[name].get(found) != simdjson::SUCCESS || !is_same(value, found)) return false;
    }
    return true;
  }
  double number = 0;
  double other = 0;
  if (a.get(number) == simdjson::SUCCESS && b.get(other) == simdjson::SUCCESS) return number == other;
  return simdjson::minify(a) == simdjson::minify(b);
}

TEST(Avro, decodes_what_fastavro_encodes) {
  std::ifstream lines(MARQUEE_SOURCE_DIR "/libs/feed/tests/reference/avro.jsonl");
  dom::parser parser;
  dom::parser parser_of_ours;
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    const dom::element one = parser.parse(line);
    const std::string_view digits = one["bytes"];
    std::string bytes;
    for (std::size_t i = 0; i < digits.size(); i += 2)
      bytes += static_cast<char>(std::stoul(std::string(digits.substr(i, 2)), nullptr, 16));
    const std::string schema = simdjson::minify(one["schema"].value());
    const std::string json = decoded_avro(schema, bytes);
    dom::element ours;
    ASSERT_EQ(parser_of_ours.parse(json).get(ours), simdjson::SUCCESS) << schema << "\n" << json;
    EXPECT_TRUE(is_same(ours, one["json"])) << schema << "\n" << json << "\n" << simdjson::minify(one["json"].value());
  }
  EXPECT_EQ(count, 300U);
}

TEST(Frame, is_a_zero_and_the_schemas_id) {
  const std::string bytes = "\x00\x00\x01\x02\x03xyz"s;
  const auto framed = read_frame(bytes);
  ASSERT_TRUE(framed);
  EXPECT_EQ(framed->schema_id, 0x010203U);
  EXPECT_EQ(framed->rest, "xyz");
  EXPECT_EQ(read_frame("abc").error().message, "3 bytes are too few for a schema's id");
  EXPECT_EQ(read_frame("\x01wxyz").error().message,
            "it does not begin as the schema registry's wire format does, but with byte 1");
}

}  // namespace
}  // namespace marquee::feed
