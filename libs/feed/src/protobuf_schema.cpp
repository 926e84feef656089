#include "protobuf_schema.h"

#include <fmt/format.h>
#include <google/protobuf/compiler/importer.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor_database.h>
#include <google/protobuf/duration.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/stubs/logging.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/wrappers.pb.h>

#include <optional>

#include "decoder.h"
#include "marquee/base/base64.h"
#include "protobuf_json.h"

namespace marquee::feed {
namespace {

namespace pb = google::protobuf;

constexpr std::size_t kMaxTypePath = 32;

/// Some registries give a file as its serialized FileDescriptorProto in base64, as clients register it.
std::optional<pb::FileDescriptorProto> serialized(const ProtobufFile& file) {
  const auto bytes = decode_base64(file.text);
  pb::FileDescriptorProto proto;
  if (!bytes || !proto.ParseFromString(*bytes)) return std::nullopt;
  proto.set_name(file.name);
  return proto;
}

/// The files of one schema.
class Files final : public pb::compiler::SourceTree {
 public:
  explicit Files(const std::vector<ProtobufFile>& files) : files_(files) {}
  pb::io::ZeroCopyInputStream* Open(const std::string& name) override {
    for (const ProtobufFile& file : files_) {
      if (file.name == name && !serialized(file))
        return new pb::io::ArrayInputStream(file.text.data(), static_cast<int>(file.text.size()));
    }
    return nullptr;
  }
  std::string GetLastErrorMessage() override { return "is not among the schema's references"; }

 private:
  const std::vector<ProtobufFile>& files_;
};

/// Keeps the first error.
class Errors final : public pb::compiler::MultiFileErrorCollector {
 public:
  void AddError(const std::string& file, int line, int, const std::string& message) override {
    if (first_.empty())
      first_ = line < 0 ? fmt::format("{}: {}", file, message) : fmt::format("{}:{}: {}", file, line + 1, message);
  }
  [[nodiscard]] const std::string& first() const { return first_; }

 private:
  std::string first_;
};

/// The files that protobuf itself brings.
class BuiltIn final : public pb::DescriptorPoolDatabase {
 public:
  BuiltIn() : pb::DescriptorPoolDatabase(*pb::DescriptorPool::generated_pool()) {
    // Named, so that the linker keeps them.
    pb::Timestamp::descriptor();
    pb::Duration::descriptor();
    pb::Struct::descriptor();
    pb::StringValue::descriptor();
  }
};

/// A number as the path to a message's type has them: zigzag varints of 32 bits.
bool read_number(std::string_view& bytes, std::int64_t& number) {
  std::uint64_t bits = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    if (bytes.empty()) return false;
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    bits |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
    if ((byte & 0x80U) != 0) continue;
    number = static_cast<std::int64_t>(bits >> 1U) ^ -static_cast<std::int64_t>(bits & 1U);
    return true;
  }
  return false;
}

/// The path, which is shortened to one zero for the first message of the file.
Result<std::vector<std::size_t>> read_type_path(std::string_view& bytes) {
  const auto wrong = [] { return Error::reject("the Protobuf message does not begin with the path to its type"); };
  std::int64_t count = 0;
  if (!read_number(bytes, count) || count < 0 || static_cast<std::size_t>(count) > kMaxTypePath) return wrong();
  std::vector<std::size_t> path;
  if (count == 0) path.push_back(0);
  for (; count > 0; --count) {
    std::int64_t index = 0;
    if (!read_number(bytes, index) || index < 0) return wrong();
    path.push_back(static_cast<std::size_t>(index));
  }
  return path;
}

}  // namespace

class ProtobufSchema::Impl {
 public:
  Result<void> compile(const std::vector<ProtobufFile>& files) {
    const pb::LogSilencer silencer;  // What is wrong is told by `errors`.
    Files tree(files);
    BuiltIn built_in;
    Errors errors;
    pb::SimpleDescriptorDatabase ready;
    for (const ProtobufFile& file : files) {
      if (const auto proto = serialized(file)) ready.Add(*proto);
    }
    pb::MergedDescriptorDatabase fallback(&ready, &built_in);
    pb::compiler::SourceTreeDescriptorDatabase database(&tree, &fallback);
    database.RecordErrorsTo(&errors);
    pb::DescriptorPool parsed(&database, database.GetValidationErrorCollector());
    const auto* file = parsed.FindFileByName(files.back().name);
    if (file == nullptr || !errors.first().empty())
      return Error::reject(fmt::format("the schema does not compile: {}",
                                       errors.first().empty() ? "it cannot be read" : errors.first()));
    // Into a pool without database, which needs none of what is on this stack.
    return keep(*file);
  }

  Result<void> decode(std::string_view framed, std::string& json) const {
    auto path = read_type_path(framed);
    if (!path) return path.error();
    const auto* type = find(*path);
    if (type == nullptr) return Error::reject(fmt::format("the schema has no message at {}", fmt::join(*path, ".")));
    const pb::LogSilencer silencer;  // Text that is no UTF-8 is named below, not in lines of protobuf's own.
    const std::unique_ptr<pb::Message> message(factory_.GetPrototype(type)->New());
    pb::io::CodedInputStream input(reinterpret_cast<const std::uint8_t*>(framed.data()),
                                   static_cast<int>(framed.size()));
    input.SetRecursionLimit(static_cast<int>(kMaxDepth));
    if (!message->ParsePartialFromCodedStream(&input) || !input.ConsumedEntireMessage())
      return Error::reject(fmt::format("the bytes are no Protobuf message {}", type->full_name()));
    if (!message->IsInitialized())
      return Error::reject(
          fmt::format("the Protobuf message {} lacks {}", type->full_name(), message->InitializationErrorString()));
    JsonWriter writer(json, kMaxJsonBytes);
    if (!write_json(*message, writer))
      return Error::reject(
          fmt::format("the Protobuf message {} is more than {} bytes as JSON", type->full_name(), kMaxJsonBytes));
    return {};
  }

 private:
  Result<void> keep(const pb::FileDescriptor& file) {
    for (int i = 0; i < file.dependency_count(); ++i) {
      if (auto kept = keep(*file.dependency(i)); !kept) return kept;
    }
    if (pool_.FindFileByName(file.name()) == nullptr) {
      pb::FileDescriptorProto proto;
      file.CopyTo(&proto);
      if (pool_.BuildFile(proto) == nullptr)
        return Error::reject(fmt::format("the schema's file {} does not compile", file.name()));
    }
    file_ = pool_.FindFileByName(file.name());
    return {};
  }

  [[nodiscard]] const pb::Descriptor* find(const std::vector<std::size_t>& path) const {
    const pb::Descriptor* type = nullptr;
    for (const std::size_t index : path) {
      const int count = type == nullptr ? file_->message_type_count() : type->nested_type_count();
      if (index >= static_cast<std::size_t>(count)) return nullptr;
      type =
          type == nullptr ? file_->message_type(static_cast<int>(index)) : type->nested_type(static_cast<int>(index));
    }
    return type;
  }

  pb::DescriptorPool pool_;
  mutable pb::DynamicMessageFactory factory_{&pool_};  ///< Thread safe.
  const pb::FileDescriptor* file_ = nullptr;
};

ProtobufSchema::ProtobufSchema(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ProtobufSchema::~ProtobufSchema() = default;

Result<std::shared_ptr<const ProtobufSchema>> ProtobufSchema::compile(const std::vector<ProtobufFile>& files) {
  if (files.empty()) return Error::reject("there is no schema");
  auto impl = std::make_unique<Impl>();
  if (auto compiled = impl->compile(files); !compiled) return compiled.error();
  return std::shared_ptr<const ProtobufSchema>(new ProtobufSchema(std::move(impl)));
}

Result<void> ProtobufSchema::decode(std::string_view framed, std::string& json) const {
  return impl_->decode(framed, json);
}

}  // namespace marquee::feed
