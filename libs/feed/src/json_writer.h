// Writes decoded values as JSON, up to a size.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "marquee/base/result.h"

namespace marquee::feed {

/// Appends to `out`. Nothing is checked but the size: is_too_large() is to be asked now and then.
class JsonWriter {
 public:
  JsonWriter(std::string& out, std::size_t max_bytes) : out_(out), end_(out.size() + max_bytes) {}

  void null() { out_ += "null"; }
  void boolean(bool value) { out_ += value ? "true" : "false"; }
  void whole(std::int64_t value);
  void whole(std::uint64_t value);
  /// NaN and infinities, which JSON does not have, become null. A float is written with a float's digits.
  void real(double value);
  void real(float value);
  void text(std::string_view value);
  /// Base64 (RFC 4648).
  void bytes(std::string_view value);
  /// `json` is a whole value, or a number that is known to be one.
  void raw(std::string_view json) { out_ += json; }

  void begin(char bracket) {
    out_ += bracket;
    is_first_ = true;
  }
  void end(char bracket) {
    out_ += bracket;
    is_first_ = false;
  }
  /// Before each item of a list.
  void item() {
    if (!is_first_) out_ += ',';
    is_first_ = false;
  }
  /// Before each value of an object.
  void name(std::string_view name) {
    item();
    text(name);
    out_ += ':';
  }

  [[nodiscard]] bool is_too_large() const { return out_.size() > end_; }

 private:
  std::string& out_;
  const std::size_t end_;
  bool is_first_ = true;
};

}  // namespace marquee::feed
