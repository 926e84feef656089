// Codings of HTTP bodies that the HTTP library does not know: Brotli (RFC 7932), xz and, of answers, deflate (RFC
// 1950).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "marquee/engine/failure.h"

namespace marquee::engine {

/// INCORRECT_DATA; output beyond `max_bytes` is refused.
[[nodiscard]] Answer<std::string> decode_brotli(std::string_view data, std::size_t max_bytes);

/// One or more streams of xz that follow each other; else as decode_brotli().
[[nodiscard]] Answer<std::string> decode_xz(std::string_view data, std::size_t max_bytes);

/// A body in pieces, whose coding is one stream: members of it may not follow each other, as those of gzip may.
class StreamCoder {
 public:
  virtual ~StreamCoder() = default;
  /// What `piece` adds; all of it can be decoded at once. `last` ends the stream.
  [[nodiscard]] virtual Answer<std::string> add(std::string_view piece, bool last) = 0;
};

/// For "br", "deflate" and "xz"; null for others.
[[nodiscard]] std::unique_ptr<StreamCoder> make_stream_coder(std::string_view encoding);

}  // namespace marquee::engine
