#include "decoder.h"

#include <fmt/format.h>

#include "avro_decoder.h"
#include "protobuf_schema.h"
#include "schema_cache.h"

namespace marquee::feed {
namespace {

constexpr std::size_t kFrameBytes = 5;

Error of_another_type(std::string_view wanted, const RegisteredSchema& schema) {
  return Error::reject(fmt::format("its schema is of type {}, not {}", schema.type, wanted));
}

/// JSON is what it is; where a registry's serializer wrote it, the frame is passed.
class JsonDecoder final : public Decoder {
 public:
  Result<void> decode(std::string_view bytes, std::string& json) const override {
    if (bytes.starts_with('\0') && bytes.size() > kFrameBytes) bytes.remove_prefix(kFrameBytes);
    json += bytes;
    return {};
  }
};

class AvroDecoder final : public Decoder {
 public:
  explicit AvroDecoder(std::shared_ptr<SchemaRegistry> registry) : schemas_(std::move(registry), compile) {}

  Result<void> decode(std::string_view bytes, std::string& json) const override {
    const auto framed = read_frame(bytes);
    if (!framed) return framed.error();
    const auto schema = schemas_.find(framed->schema_id);
    if (!schema) return schema.error();
    return decode_avro(**schema, framed->rest, json);
  }

 private:
  static Result<std::shared_ptr<const AvroSchema>> compile(const RegisteredSchema& registered) {
    if (registered.type != "AVRO") return of_another_type("AVRO", registered);
    std::vector<std::string_view> texts;
    for (const auto& part : registered.parts) texts.emplace_back(part.text);
    return AvroSchema::parse(texts);
  }

  mutable SchemaCache<AvroSchema> schemas_;
};

class ProtobufDecoder final : public Decoder {
 public:
  explicit ProtobufDecoder(std::shared_ptr<SchemaRegistry> registry) : schemas_(std::move(registry), compile) {}

  Result<void> decode(std::string_view bytes, std::string& json) const override {
    const auto framed = read_frame(bytes);
    if (!framed) return framed.error();
    const auto schema = schemas_.find(framed->schema_id);
    if (!schema) return schema.error();
    return (*schema)->decode(framed->rest, json);
  }

 private:
  static Result<std::shared_ptr<const ProtobufSchema>> compile(const RegisteredSchema& registered) {
    if (registered.type != "PROTOBUF") return of_another_type("PROTOBUF", registered);
    std::vector<ProtobufFile> files;
    for (const auto& part : registered.parts) files.push_back({part.name, part.text});
    return ProtobufSchema::compile(files);
  }

  mutable SchemaCache<ProtobufSchema> schemas_;
};

}  // namespace

Result<Framed> read_frame(std::string_view bytes) {
  if (bytes.size() < kFrameBytes)
    return Error::reject(fmt::format("{} bytes are too few for a schema's id", bytes.size()));
  if (bytes[0] != 0)
    return Error::reject(fmt::format("it does not begin as the schema registry's wire format does, but with byte {}",
                                     static_cast<unsigned>(static_cast<unsigned char>(bytes[0]))));
  Framed framed;
  for (std::size_t i = 1; i < kFrameBytes; ++i)
    framed.schema_id = framed.schema_id << 8U | static_cast<unsigned char>(bytes[i]);
  framed.rest = bytes.substr(kFrameBytes);
  return framed;
}

std::unique_ptr<Decoder> make_decoder(Format format, std::shared_ptr<SchemaRegistry> registry) {
  if (format == Format::avro) return std::make_unique<AvroDecoder>(std::move(registry));
  if (format == Format::protobuf) return std::make_unique<ProtobufDecoder>(std::move(registry));
  return std::make_unique<JsonDecoder>();
}

}  // namespace marquee::feed
