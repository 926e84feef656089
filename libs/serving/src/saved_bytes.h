// Values one after the other as they lie in memory: what a process keeps for the next one on the same machine.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace marquee::serving {

class Saving {
 public:
  template <class T>
    requires std::is_trivially_copyable_v<T>
  void put(const T& value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void text(std::string_view text) {
    put(std::uint64_t{text.size()});
    out += text;
  }
  std::string out;
};

/// False once it was too short.
class Loading {
 public:
  explicit Loading(std::string_view bytes) : rest_(bytes) {}
  template <class T>
    requires std::is_trivially_copyable_v<T>
  bool take(T& value) {
    const auto bytes = cut(sizeof value);
    if (bytes) std::memcpy(&value, bytes->data(), sizeof value);
    return bytes.has_value();
  }
  bool text(std::string& text) {
    std::uint64_t size = 0;
    const auto bytes = take(size) ? cut(size) : std::nullopt;
    if (bytes) text = *bytes;
    return bytes.has_value();
  }
  [[nodiscard]] bool is_at_end() const { return rest_.empty(); }

 private:
  std::optional<std::string_view> cut(std::uint64_t size) {
    if (size > rest_.size()) return std::nullopt;
    const auto bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  std::string_view rest_;
};

}  // namespace marquee::serving
