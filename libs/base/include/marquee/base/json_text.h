// JSON as text, written piece by piece.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace marquee {

/// Appends `text` as a JSON string. Bytes that are no UTF-8 stay as they are: the server names them.
void append_json_string(std::string& out, std::string_view text);

/// Appends `{"name":value,...}` to `out`; end() closes it. Empty text is left out, as "not given".
class JsonObject {
 public:
  explicit JsonObject(std::string& out) : out_(out) {}
  JsonObject& text(std::string_view name, std::string_view value) {
    if (value.empty()) return *this;
    key(name);
    append_json_string(out_, value);
    return *this;
  }
  JsonObject& number(std::string_view name, std::int64_t value) {
    key(name);
    fmt::format_to(std::back_inserter(out_), "{}", value);
    return *this;
  }
  /// `json` is a whole JSON value.
  JsonObject& raw(std::string_view name, std::string_view json) {
    key(name);
    out_ += json;
    return *this;
  }
  void end() { out_ += is_first_ ? "{}" : "}"; }

 private:
  void key(std::string_view name) {
    out_ += is_first_ ? '{' : ',';
    is_first_ = false;
    append_json_string(out_, name);
    out_ += ':';
  }
  std::string& out_;
  bool is_first_ = true;
};

/// True where `text` is a number as JSON writes it (no leading zeros, no "+", no "nan").
[[nodiscard]] bool is_json_number(std::string_view text);

}  // namespace marquee
