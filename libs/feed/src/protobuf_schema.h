// A .proto file and what it imports, compiled at run time, ready for decoding.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"

namespace marquee::feed {

struct ProtobufFile {
  std::string name;       ///< As others import it; of the schema itself, any.
  std::string_view text;  ///< The .proto file, or its FileDescriptorProto, serialized, in base64.
};

/// Thread safe.
class ProtobufSchema {
 public:
  /// The schema itself last, before it what it imports; google/protobuf/*.proto are known. Action::reject with
  /// protobuf's own words where it does not compile.
  [[nodiscard]] static Result<std::shared_ptr<const ProtobufSchema>> compile(const std::vector<ProtobufFile>& files);
  ~ProtobufSchema();

  /// Appends a message as JSON. `framed` is what follows the schema's id: the path to the message's type within the
  /// file, and the message. Fields have their names of the .proto file; those without presence are always there, with
  /// their default; enums are names, bytes base64; google.protobuf.Timestamp and Duration are milliseconds, wrappers
  /// their value, Struct and Value what they hold.
  [[nodiscard]] Result<void> decode(std::string_view framed, std::string& json) const;

 private:
  class Impl;
  explicit ProtobufSchema(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace marquee::feed
