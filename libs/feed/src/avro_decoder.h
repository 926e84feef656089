// Avro's binary encoding as JSON.
#pragma once

#include <string>
#include <string_view>

#include "avro_schema.h"

namespace marquee::feed {

/// Appends the value as JSON: unions are the value of their branch, bytes and fixed base64, decimals numbers,
/// timestamps and times milliseconds, dates "2026-01-31". All of `bytes` must be the value.
[[nodiscard]] Result<void> decode_avro(const AvroSchema& schema, std::string_view bytes, std::string& json);

}  // namespace marquee::feed
