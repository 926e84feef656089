// What a message's bytes say, as JSON: one form for all formats, which mappings look into.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "marquee/base/result.h"
#include "marquee/feed/description.h"

namespace marquee::feed {

/// Of a message, and of it as JSON; what is larger is refused.
inline constexpr std::size_t kMaxMessageBytes = 8u << 20u;
inline constexpr std::size_t kMaxJsonBytes = 16u << 20u;
/// Levels of nesting, in messages and in schemas.
inline constexpr std::size_t kMaxDepth = 64;

/// Thread safe.
class Decoder {
 public:
  virtual ~Decoder() = default;
  /// Appends the message as one JSON value. Action::retry where its schema cannot be had now; Action::reject where the
  /// bytes are no such message. After an error `json` may hold a part.
  [[nodiscard]] virtual Result<void> decode(std::string_view bytes, std::string& json) const = 0;
};

class SchemaRegistry;

/// `registry` is null where the format needs none.
[[nodiscard]] std::unique_ptr<Decoder> make_decoder(Format format, std::shared_ptr<SchemaRegistry> registry);

/// A message in the wire format of Confluent's schema registry: a zero byte, the schema's id, the message.
struct Framed {
  std::uint32_t schema_id = 0;
  std::string_view rest;
};
[[nodiscard]] Result<Framed> read_frame(std::string_view bytes);

}  // namespace marquee::feed
