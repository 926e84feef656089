// Protobuf messages as JSON.
#pragma once

#include <google/protobuf/message.h>

#include "json_writer.h"

namespace marquee::feed {

/// As ProtobufSchema::decode says. False where the JSON grows too large. Messages are no deeper than the parser let
/// them be.
[[nodiscard]] bool write_json(const google::protobuf::Message& message, JsonWriter& writer);

}  // namespace marquee::feed
