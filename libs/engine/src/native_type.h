// ClickHouse's type names ("Array(Tuple(a String, b Nullable(UInt8)))") as trees.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace marquee::engine {

struct NativeType {
  std::string name;   ///< "Array", "UInt8" ...; of an argument that is no type (a number, a text): as written.
  std::string text;   ///< The whole, as written.
  std::string label;  ///< Of an element of a Tuple, or a path of JSON; else empty.
  std::vector<NativeType> arguments;  ///< In parentheses.
};

/// Empty where the parentheses or quotes do not match, or are nested too deeply.
[[nodiscard]] std::optional<NativeType> parse_native_type(std::string_view text);

}  // namespace marquee::engine
