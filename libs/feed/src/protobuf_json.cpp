#include "protobuf_json.h"

#include <google/protobuf/descriptor.h>

#include <string>

namespace marquee::feed {
namespace {

namespace pb = google::protobuf;
using Field = pb::FieldDescriptor;

class ProtobufWriter {
 public:
  explicit ProtobufWriter(JsonWriter& writer) : writer_(writer) {}

  bool write(const pb::Message& message) {
    if (writer_.is_too_large()) return false;
    switch (message.GetDescriptor()->well_known_type()) {
      case pb::Descriptor::WELLKNOWNTYPE_TIMESTAMP:
      case pb::Descriptor::WELLKNOWNTYPE_DURATION:
        write_millis(message);
        return true;
      case pb::Descriptor::WELLKNOWNTYPE_DOUBLEVALUE:
      case pb::Descriptor::WELLKNOWNTYPE_FLOATVALUE:
      case pb::Descriptor::WELLKNOWNTYPE_INT64VALUE:
      case pb::Descriptor::WELLKNOWNTYPE_UINT64VALUE:
      case pb::Descriptor::WELLKNOWNTYPE_INT32VALUE:
      case pb::Descriptor::WELLKNOWNTYPE_UINT32VALUE:
      case pb::Descriptor::WELLKNOWNTYPE_STRINGVALUE:
      case pb::Descriptor::WELLKNOWNTYPE_BYTESVALUE:
      case pb::Descriptor::WELLKNOWNTYPE_BOOLVALUE:
      case pb::Descriptor::WELLKNOWNTYPE_STRUCT:
      case pb::Descriptor::WELLKNOWNTYPE_LISTVALUE:
        return write_field(message, *message.GetDescriptor()->field(0));
      case pb::Descriptor::WELLKNOWNTYPE_VALUE:
        return write_value(message);
      default:
        return write_fields(message);
    }
  }

 private:
  bool write_fields(const pb::Message& message) {
    const pb::Descriptor& type = *message.GetDescriptor();
    const pb::Reflection& reflection = *message.GetReflection();
    writer_.begin('{');
    for (int i = 0; i < type.field_count(); ++i) {
      const Field& field = *type.field(i);
      if (field.has_presence() && !reflection.HasField(message, &field)) continue;
      writer_.name(field.name());
      if (!write_field(message, field)) return false;
    }
    writer_.end('}');
    return true;
  }

  bool write_field(const pb::Message& message, const Field& field) {
    if (field.is_map()) return write_map(message, field);
    if (!field.is_repeated()) return write_single(message, field);
    writer_.begin('[');
    const int count = message.GetReflection()->FieldSize(message, &field);
    for (int i = 0; i < count; ++i) {
      writer_.item();
      if (!write_repeated(message, field, i)) return false;
    }
    writer_.end(']');
    return true;
  }

  bool write_map(const pb::Message& message, const Field& field) {
    const pb::Reflection& reflection = *message.GetReflection();
    const Field& key = *field.message_type()->map_key();
    const Field& value = *field.message_type()->map_value();
    writer_.begin('{');
    const int count = reflection.FieldSize(message, &field);
    for (int i = 0; i < count; ++i) {
      const pb::Message& entry = reflection.GetRepeatedMessage(message, &field, i);
      writer_.name(key_text(entry, key));
      if (!write_single(entry, value)) return false;
    }
    writer_.end('}');
    return true;
  }

  static std::string key_text(const pb::Message& entry, const Field& key) {
    const pb::Reflection& reflection = *entry.GetReflection();
    switch (key.cpp_type()) {
      case Field::CPPTYPE_INT32:
        return std::to_string(reflection.GetInt32(entry, &key));
      case Field::CPPTYPE_INT64:
        return std::to_string(reflection.GetInt64(entry, &key));
      case Field::CPPTYPE_UINT32:
        return std::to_string(reflection.GetUInt32(entry, &key));
      case Field::CPPTYPE_UINT64:
        return std::to_string(reflection.GetUInt64(entry, &key));
      case Field::CPPTYPE_BOOL:
        return reflection.GetBool(entry, &key) ? "true" : "false";
      default:
        return reflection.GetString(entry, &key);
    }
  }

  bool write_single(const pb::Message& message, const Field& field) {
    const pb::Reflection& reflection = *message.GetReflection();
    switch (field.cpp_type()) {
      case Field::CPPTYPE_INT32:
        return writer_.whole(std::int64_t{reflection.GetInt32(message, &field)}), true;
      case Field::CPPTYPE_INT64:
        return writer_.whole(std::int64_t{reflection.GetInt64(message, &field)}), true;
      case Field::CPPTYPE_UINT32:
        return writer_.whole(std::uint64_t{reflection.GetUInt32(message, &field)}), true;
      case Field::CPPTYPE_UINT64:
        return writer_.whole(std::uint64_t{reflection.GetUInt64(message, &field)}), true;
      case Field::CPPTYPE_DOUBLE:
        return writer_.real(reflection.GetDouble(message, &field)), true;
      case Field::CPPTYPE_FLOAT:
        return writer_.real(reflection.GetFloat(message, &field)), true;
      case Field::CPPTYPE_BOOL:
        return writer_.boolean(reflection.GetBool(message, &field)), true;
      case Field::CPPTYPE_ENUM:
        return write_enum(field, reflection.GetEnumValue(message, &field)), true;
      case Field::CPPTYPE_STRING:
        return write_text(field, reflection.GetStringReference(message, &field, &scratch_)), true;
      case Field::CPPTYPE_MESSAGE:
        return write(reflection.GetMessage(message, &field));
    }
    return true;
  }

  bool write_repeated(const pb::Message& message, const Field& field, int index) {
    const pb::Reflection& reflection = *message.GetReflection();
    switch (field.cpp_type()) {
      case Field::CPPTYPE_INT32:
        return writer_.whole(std::int64_t{reflection.GetRepeatedInt32(message, &field, index)}), true;
      case Field::CPPTYPE_INT64:
        return writer_.whole(std::int64_t{reflection.GetRepeatedInt64(message, &field, index)}), true;
      case Field::CPPTYPE_UINT32:
        return writer_.whole(std::uint64_t{reflection.GetRepeatedUInt32(message, &field, index)}), true;
      case Field::CPPTYPE_UINT64:
        return writer_.whole(std::uint64_t{reflection.GetRepeatedUInt64(message, &field, index)}), true;
      case Field::CPPTYPE_DOUBLE:
        return writer_.real(reflection.GetRepeatedDouble(message, &field, index)), true;
      case Field::CPPTYPE_FLOAT:
        return writer_.real(reflection.GetRepeatedFloat(message, &field, index)), true;
      case Field::CPPTYPE_BOOL:
        return writer_.boolean(reflection.GetRepeatedBool(message, &field, index)), true;
      case Field::CPPTYPE_ENUM:
        return write_enum(field, reflection.GetRepeatedEnumValue(message, &field, index)), true;
      case Field::CPPTYPE_STRING:
        return write_text(field, reflection.GetRepeatedStringReference(message, &field, index, &scratch_)), true;
      case Field::CPPTYPE_MESSAGE:
        return write(reflection.GetRepeatedMessage(message, &field, index));
    }
    return true;
  }

  /// A number where the schema has no name for it, as its sender may be newer.
  void write_enum(const Field& field, int number) {
    if (field.enum_type()->full_name() == "google.protobuf.NullValue") return writer_.null();
    const auto* value = field.enum_type()->FindValueByNumber(number);
    if (value != nullptr)
      writer_.text(value->name());
    else
      writer_.whole(std::int64_t{number});
  }

  void write_text(const Field& field, const std::string& text) {
    if (field.type() == Field::TYPE_BYTES)
      writer_.bytes(text);
    else
      writer_.text(text);
  }

  /// Of a Timestamp or Duration: seconds and nanos.
  void write_millis(const pb::Message& message) {
    const pb::Reflection& reflection = *message.GetReflection();
    const std::int64_t seconds = reflection.GetInt64(message, message.GetDescriptor()->FindFieldByNumber(1));
    const std::int32_t nanos = reflection.GetInt32(message, message.GetDescriptor()->FindFieldByNumber(2));
    constexpr std::int64_t kMost = 1'000'000'000'000'000;
    if (seconds > kMost || seconds < -kMost) return writer_.null();  // No time that there is.
    writer_.whole(seconds * 1'000 + nanos / 1'000'000);
  }

  /// google.protobuf.Value holds one of its fields, or nothing.
  bool write_value(const pb::Message& message) {
    const auto* set = message.GetReflection()->GetOneofFieldDescriptor(message, message.GetDescriptor()->oneof_decl(0));
    if (set != nullptr) return write_single(message, *set);
    writer_.null();
    return true;
  }

  JsonWriter& writer_;
  std::string scratch_;
};

}  // namespace

bool write_json(const google::protobuf::Message& message, JsonWriter& writer) {
  return ProtobufWriter(writer).write(message) && !writer.is_too_large();
}

}  // namespace marquee::feed
