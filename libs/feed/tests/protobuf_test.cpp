// Protobuf: what libprotobuf encodes comes out as it would print it.
#include <fmt/format.h>
#include <google/protobuf/compiler/parser.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "decoder.h"
#include "protobuf_schema.h"

namespace marquee::feed {
namespace {

namespace pb = google::protobuf;
using namespace std::string_literals;

constexpr std::string_view kProto = R"(
  syntax = "proto3";
  package shop;
  enum Kind { VIEW = 0; CLICK = 1; }
  message Unused { message Inner { int32 n = 1; } }
  message Event {
    string id = 1;
    Kind kind = 2;
    int64 big = 3;
    optional int32 given = 4;
    bytes raw = 5;
    repeated double reals = 6;
    map<string, Event> by_name = 7;
    map<int32, bool> flags = 8;
    Event inner = 9;
    oneof choice { string text = 10; uint64 number = 11; }
    repeated Kind kinds = 12;
    sint32 zigzag = 13;
    fixed32 fixed = 14;
    repeated string texts = 15;
    float small = 16;
    bool yes = 17;
  }
)";

std::string decoded_protobuf(std::string_view proto, const std::string& framed) {
  const auto schema = ProtobufSchema::compile({{"s.proto", proto}});
  if (!schema) return schema.error().message;
  std::string json;
  const auto done = (*schema)->decode(framed, json);
  return done ? json : done.error().message;
}

/// The types of a .proto text, by libprotobuf alone.
struct Types {
  explicit Types(std::string_view proto) {
    pb::io::ArrayInputStream input(proto.data(), static_cast<int>(proto.size()));
    pb::io::Tokenizer tokenizer(&input, nullptr);
    pb::compiler::Parser parser;
    pb::FileDescriptorProto file;
    file.set_name("reference.proto");
    EXPECT_TRUE(parser.Parse(&tokenizer, &file));
    EXPECT_NE(pool.BuildFile(file), nullptr);
  }
  std::unique_ptr<pb::Message> make(const std::string& name) {
    return std::unique_ptr<pb::Message>(factory.GetPrototype(pool.FindMessageTypeByName(name))->New());
  }
  pb::DescriptorPool pool;
  pb::DynamicMessageFactory factory{&pool};
};

/// Fills each field or not, with what rapidcheck draws.
void fill(pb::Message& message, int depth) {
  const auto& reflection = *message.GetReflection();
  using Field = pb::FieldDescriptor;
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const Field& field = *message.GetDescriptor()->field(i);
    const int times = *rc::gen::inRange(0, field.is_repeated() ? 4 : 2);
    for (int n = 0; n < times; ++n) {
      const bool is_list = field.is_repeated();
      const auto text = *rc::gen::container<std::string>(rc::gen::inRange<char>(0x20, 0x7f));
      const auto real = static_cast<double>(*rc::gen::arbitrary<std::int32_t>()) / 8;
      switch (field.cpp_type()) {
        case Field::CPPTYPE_STRING:
          is_list ? reflection.AddString(&message, &field, text) : reflection.SetString(&message, &field, text);
          break;
        case Field::CPPTYPE_INT32: {
          const auto value = *rc::gen::arbitrary<std::int32_t>();
          is_list ? reflection.AddInt32(&message, &field, value) : reflection.SetInt32(&message, &field, value);
          break;
        }
        case Field::CPPTYPE_INT64:
          reflection.SetInt64(&message, &field, *rc::gen::arbitrary<std::int64_t>());
          break;
        case Field::CPPTYPE_UINT32:
          reflection.SetUInt32(&message, &field, *rc::gen::arbitrary<std::uint32_t>());
          break;
        case Field::CPPTYPE_UINT64:
          reflection.SetUInt64(&message, &field, *rc::gen::arbitrary<std::uint64_t>());
          break;
        case Field::CPPTYPE_DOUBLE:
          reflection.AddDouble(&message, &field, real);
          break;
        case Field::CPPTYPE_FLOAT:
          reflection.SetFloat(&message, &field, static_cast<float>(real));
          break;
        case Field::CPPTYPE_BOOL:
          reflection.SetBool(&message, &field, *rc::gen::arbitrary<bool>());
          break;
        case Field::CPPTYPE_ENUM: {
          const int value = *rc::gen::inRange(0, 2);
          is_list ? reflection.AddEnumValue(&message, &field, value) : reflection.SetEnumValue(&message, &field, value);
          break;
        }
        case Field::CPPTYPE_MESSAGE:
          if (field.is_map() && field.number() == 8) {
            auto& entry = *reflection.AddMessage(&message, &field);
            entry.GetReflection()->SetInt32(&entry, entry.GetDescriptor()->field(0), n);
            entry.GetReflection()->SetBool(&entry, entry.GetDescriptor()->field(1), *rc::gen::arbitrary<bool>());
          } else if (field.is_map() && depth > 0) {
            auto& entry = *reflection.AddMessage(&message, &field);
            entry.GetReflection()->SetString(&entry, entry.GetDescriptor()->field(0), std::to_string(n));
            fill(*entry.GetReflection()->MutableMessage(&entry, entry.GetDescriptor()->field(1)), depth - 1);
          } else if (!field.is_map() && depth > 0) {
            fill(*reflection.MutableMessage(&message, &field), depth - 1);
          }
      }
    }
  }
}

RC_GTEST_PROP(Protobuf, what_libprotobuf_encodes_it_reads_back_from_our_json, ()) {
  static const auto schema = ProtobufSchema::compile({{"s.proto", kProto}});
  RC_ASSERT(schema.has_value());
  Types types(kProto);
  const auto message = types.make("shop.Event");
  fill(*message, 2);
  std::string json;
  const auto done = (*schema)->decode("\x02\x02"s + message->SerializeAsString(), json);
  RC_ASSERT(done.has_value());
  const auto back = types.make("shop.Event");
  const auto status = pb::util::JsonStringToMessage(json, back.get());
  if (!status.ok()) RC_FAIL(status.ToString() + "\n" + json);
  RC_ASSERT(pb::util::MessageDifferencer::Equals(*message, *back));
}

TEST(Protobuf, has_fields_by_their_names_and_defaults_where_nothing_tells_absence) {
  EXPECT_EQ(
      decoded_protobuf(kProto, "\x02\x02"),
      R"({"id":"","kind":"VIEW","big":0,"raw":"","reals":[],"by_name":{},"flags":{},"kinds":[],"zigzag":0,"fixed":0,"texts":[],"small":0,"yes":false})");
  EXPECT_EQ(decoded_protobuf(R"(syntax = "proto3"; message M { enum E { A = 0; } E e = 1; })", "\x00\x08\x63"s),
            R"({"e":99})");
  EXPECT_EQ(
      decoded_protobuf(R"(syntax = "proto2"; message M { required int32 a = 1; optional int32 b = 2 [default = 5]; })",
                       "\x00\x08\x01"s),
      R"({"a":1})");
}

TEST(Protobuf, finds_the_message_by_its_path_in_the_file) {
  const auto proto =
      R"(syntax = "proto3"; message A { string a = 1; message B { string b = 1; message C { string c = 1; } } } message D { string d = 1; })";
  EXPECT_EQ(decoded_protobuf(proto, "\x00\x0a\x01x"s), R"({"a":"x"})");
  EXPECT_EQ(decoded_protobuf(proto, "\x02\x00\x0a\x01x"s), R"({"a":"x"})");
  EXPECT_EQ(decoded_protobuf(proto, "\x02\x02\x0a\x01x"), R"({"d":"x"})");
  EXPECT_EQ(decoded_protobuf(proto, "\x06\x00\x00\x00\x0a\x01x"s), R"({"c":"x"})");
  EXPECT_EQ(decoded_protobuf(proto, "\x02\x04"), "the schema has no message at 2");
  EXPECT_EQ(decoded_protobuf(proto, "\x04\x00\x02"s), "the schema has no message at 0.1");
  for (const auto& none : {""s, "\x01"s, "\x02"s, "\x02\x01"s, "\xff\xff\xff\xff\xff\x01"s, "\x80"s, "\x42"s})
    EXPECT_EQ(decoded_protobuf(proto, none), "the Protobuf message does not begin with the path to its type")
        << none.size();
}

TEST(Protobuf, knows_the_well_known_types) {
  const auto proto =
      R"(syntax = "proto3"; import "google/protobuf/timestamp.proto"; import "google/protobuf/duration.proto";
    import "google/protobuf/wrappers.proto"; import "google/protobuf/struct.proto";
    message M { google.protobuf.Timestamp at = 1; google.protobuf.Duration took = 2; google.protobuf.StringValue name = 3; google.protobuf.Struct any = 4; })";
  pb::Timestamp time;
  time.set_seconds(1'763'999'000);
  time.set_nanos(123'456'789);
  const auto bytes = time.SerializeAsString();
  EXPECT_EQ(decoded_protobuf(proto, "\x00\x0a"s + static_cast<char>(bytes.size()) + bytes + "\x12\x02\x08\x03" +
                                        "\x1a\x03\x0a\x01x" + "\x22\x0a\x0a\x08\x0a\x01k\x12\x03\x1a\x01v" +
                                        "\x22\x09\x0a\x07\x0a\x01n\x12\x02\x08\x00"s),
            R"({"at":1763999000123,"took":3000,"name":"x","any":{"k":"v","n":null}})");
}

TEST(Protobuf, compiles_what_a_schema_imports) {
  const auto schema = ProtobufSchema::compile(
      {{"base/ids.proto", R"(syntax = "proto3"; package base; message Id { string id = 1; })"},
       {"user.proto", R"(syntax = "proto3"; import "base/ids.proto"; package u; message User { base.Id id = 1; })"},
       {"schema-9",
        R"(syntax = "proto3"; import "user.proto"; import "base/ids.proto"; message M { u.User user = 1; base.Id ad = 2; })"}});
  ASSERT_TRUE(schema) << schema.error().message;
  std::string json;
  ASSERT_TRUE((*schema)->decode("\x00\x0a\x05\x0a\x03\x0a\x01u\x12\x03\x0a\x01\x61"s, json));
  EXPECT_EQ(json, R"({"user":{"id":{"id":"u"}},"ad":{"id":"a"}})");
}

TEST(Protobuf, takes_files_that_are_serialized_descriptors) {
  const auto schema = ProtobufSchema::compile(
      {{"ids.proto", "CglpZHMucHJvdG8SA2lkcyIUCgJJZBIOCgJpZBgBIAEoCVICaWRiBnByb3RvMw=="},
       {"schema-2",
        "Cgd0LnByb3RvEgRzaG9wGh9nb29nbGUvcHJvdG9idWYvdGltZXN0YW1wLnByb3RvGglpZHMucHJvdG8iTAoFRXZlbnQSFwoCaWQYASABKAsyBy"
        "5"
        "pZHMuSWRSAmlkEioKAmF0GAIgASgLMhouZ29vZ2xlLnByb3RvYnVmLlRpbWVzdGFtcFICYXRiBnByb3RvMw=="}});
  ASSERT_TRUE(schema) << schema.error().message;
  std::string json;
  ASSERT_TRUE((*schema)->decode("\x00\x0a\x03\x0a\x01x\x12\x02\x08\x05"s, json));
  EXPECT_EQ(json, R"({"id":{"id":"x"},"at":5000})");
}

TEST(Protobuf, refuses_what_is_no_schema_and_what_is_no_message) {
  EXPECT_EQ(decoded_protobuf("syntax = \"proto3\"; message M { strin a = 1; }", ""),
            "the schema does not compile: s.proto:1: \"strin\" is not defined.");
  EXPECT_TRUE(decoded_protobuf("message M {", "").starts_with("the schema does not compile: s.proto:1: "))
      << decoded_protobuf("message M {", "");
  EXPECT_TRUE(decoded_protobuf("syntax = \"proto3\"; import \"other.proto\";", "")
                  .starts_with("the schema does not compile: other.proto: "));
  const auto proto = R"(syntax = "proto3"; message M { string a = 1; M m = 2; })";
  EXPECT_EQ(decoded_protobuf(proto, "\x00\x0a\x05x"s), "the bytes are no Protobuf message M");
  EXPECT_EQ(decoded_protobuf(R"(syntax = "proto2"; message M { required int32 a = 1; })", "\x00"s),
            "the Protobuf message M lacks a");
  std::string deep;
  for (int i = 0; i < 200; ++i) {
    std::string size;
    for (auto n = deep.size();; n >>= 7U) {
      size += static_cast<char>((n & 0x7FU) | (n > 0x7F ? 0x80U : 0U));
      if (n <= 0x7F) break;
    }
    deep = "\x12" + size + deep;
  }
  EXPECT_EQ(decoded_protobuf(proto, "\x00"s + deep), "the bytes are no Protobuf message M");
}

}  // namespace
}  // namespace marquee::feed
