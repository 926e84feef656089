// Reads results in ClickHouse's RowBinary format: values one after the other, without names or types.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>

namespace marquee::clickhouse {

/// Reads values from `bytes`, never beyond them. After a failed read every further one fails too. Not thread safe.
class RowBinaryReader {
 public:
  explicit RowBinaryReader(std::string_view bytes) : rest_(bytes) {}

  /// No bytes are left and nothing failed: the place to stop reading rows.
  [[nodiscard]] bool at_end() const { return rest_.empty() && !failed_; }
  [[nodiscard]] bool failed() const { return failed_; }

  /// A number, or what is stored as one (Bool and Enum8: 1 byte, DateTime64: std::int64_t).
  template <class T>
    requires std::is_arithmetic_v<T>
  [[nodiscard]] std::optional<T> number() {
    static_assert(std::endian::native == std::endian::little);
    if (failed_ || rest_.size() < sizeof(T)) return fail();
    T value;
    std::memcpy(&value, rest_.data(), sizeof(T));
    rest_.remove_prefix(sizeof(T));
    return value;
  }

  /// A String (or LowCardinality(String)); borrows from the bytes.
  [[nodiscard]] std::optional<std::string_view> text() {
    std::uint64_t size = 0;
    for (unsigned shift = 0;; shift += 7) {
      if (failed_ || rest_.empty() || shift > 56) return fail();
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      size |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) break;
    }
    if (size > rest_.size()) return fail();
    const std::string_view value = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return value;
  }

 private:
  std::nullopt_t fail() {
    failed_ = true;
    return std::nullopt;
  }

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace marquee::clickhouse
