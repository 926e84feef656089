// Small parts of JSON that are read and written here.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

#include "marquee/base/json_text.h"

namespace marquee::feed {

/// What a mapped field begins with that goes into the event's "props".
inline constexpr std::string_view kProps = "props.";

/// `text` as a JSON string. It is a YAML scalar, too.
[[nodiscard]] inline std::string json_quoted(std::string_view text) {
  std::string json;
  append_json_string(json, text);
  return json;
}

/// The text of that name; empty where there is none.
[[nodiscard]] inline std::string text_of(simdjson::dom::object object, std::string_view name) {
  std::string_view text;
  return object[name].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

}  // namespace marquee::feed
