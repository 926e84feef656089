// Where the values of a column end in ClickHouse's Native format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "native_type.h"

namespace marquee::engine {

/// Reads bytes that may end anywhere: what is beyond the end fails, for good.
class NativeCursor {
 public:
  explicit NativeCursor(std::string_view bytes) : bytes_(bytes) {}

  bool skip(std::uint64_t count);
  /// `count` values of `size` bytes.
  bool skip(std::uint64_t count, std::uint64_t size);
  std::optional<std::uint64_t> varint();
  std::optional<std::uint64_t> fixed(std::size_t size);  ///< Little-endian, of at most 8 bytes.
  std::optional<std::string_view> text();                ///< A varint and so many bytes.

  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] bool is_at_end() const { return at_ == bytes_.size(); }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

enum class Skipped {
  whole,
  broken,   ///< The bytes end early or contradict the type.
  unknown,  ///< A type whose values tell no length.
};

/// Moves `cursor` over a column of `rows` values, at least one.
[[nodiscard]] Skipped skip_native_column(NativeCursor& cursor, const NativeType& type, std::uint64_t rows);

}  // namespace marquee::engine
