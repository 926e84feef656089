#include "native_column.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <map>
#include <string>
#include <utility>

namespace marquee::engine {
namespace {

using namespace std::string_view_literals;

constexpr int kDeepestColumn = 100;
constexpr std::uint64_t kMostTypes = 10'000;  // Of a Dynamic, or paths of JSON.

struct Fixed {
  std::string_view name;
  std::uint64_t size;
};
constexpr std::array kFixed = {
    Fixed{"Int8", 1},    Fixed{"UInt8", 1},    Fixed{"Bool", 1},     Fixed{"Enum8", 1},     Fixed{"Nothing", 1},
    Fixed{"Int16", 2},   Fixed{"UInt16", 2},   Fixed{"Enum16", 2},   Fixed{"Date", 2},      Fixed{"BFloat16", 2},
    Fixed{"Int32", 4},   Fixed{"UInt32", 4},   Fixed{"Float32", 4},  Fixed{"Date32", 4},    Fixed{"DateTime", 4},
    Fixed{"Time", 4},    Fixed{"IPv4", 4},     Fixed{"Int64", 8},    Fixed{"UInt64", 8},    Fixed{"Float64", 8},
    Fixed{"Time64", 8},  Fixed{"Int128", 16},  Fixed{"UInt128", 16}, Fixed{"UUID", 16},     Fixed{"IPv6", 16},
    Fixed{"Int256", 32}, Fixed{"UInt256", 32}, Fixed{"Point", 16},   Fixed{"DateTime64", 8}};

struct Alias {
  std::string_view name;
  std::string_view type;
};
constexpr std::array kAliases = {
    Alias{"Ring", "Array(Point)"},
    Alias{"LineString", "Array(Point)"},
    Alias{"Polygon", "Array(Array(Point))"},
    Alias{"MultiLineString", "Array(Array(Point))"},
    Alias{"MultiPolygon", "Array(Array(Array(Point)))"},
    Alias{"Geometry", "Variant(LineString, MultiLineString, MultiPolygon, Point, Polygon, Ring)"}};

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Bytes of a value, where all values have as many.
std::optional<std::uint64_t> fixed_size(const NativeType& type) {
  const auto* found = std::ranges::find(kFixed, std::string_view(type.name), &Fixed::name);
  if (found != kFixed.end()) return found->size;
  if (type.name.starts_with("Interval")) return 8;
  if (type.arguments.empty()) return std::nullopt;
  const auto argument = whole_number(type.arguments.front().text);
  if (!argument) return std::nullopt;
  if (type.name == "FixedString") return *argument;
  if (type.name == "Decimal32") return 4;
  if (type.name == "Decimal64") return 8;
  if (type.name == "Decimal128") return 16;
  if (type.name == "Decimal256") return 32;
  if (type.name == "Decimal") return *argument <= 9 ? 4 : *argument <= 18 ? 8 : *argument <= 38 ? 16 : 32;
  return std::nullopt;
}

NativeType plain_type(std::string_view name) {
  return {.name = std::string(name), .text = std::string(name), .label = {}, .arguments = {}};
}

/// A column's values, after what comes before the first of them has been read.
class Column {
 public:
  explicit Column(int depth) : depth_(depth) {}
  /// Reads what comes before the values, of this and of all inside, and learns from it what is inside.
  Skipped begin(NativeCursor& cursor, const NativeType& type);
  Skipped values(NativeCursor& cursor, std::uint64_t rows) const;

 private:
  enum class Shape { fixed, text, tuple, array, nullable, low_cardinality, variant, dynamic_flat, wrapper };

  Skipped begin_children(NativeCursor& cursor, const std::vector<NativeType>& types);
  Skipped begin_dynamic(NativeCursor& cursor);
  Skipped begin_json(NativeCursor& cursor, const NativeType& type);
  Skipped array_values(NativeCursor& cursor, std::uint64_t rows) const;
  Skipped low_cardinality_values(NativeCursor& cursor, std::uint64_t rows) const;
  Skipped variant_values(NativeCursor& cursor, std::uint64_t rows) const;
  Skipped children_values(NativeCursor& cursor, std::uint64_t rows) const;

  int depth_;
  Shape shape_ = Shape::wrapper;
  std::uint64_t size_ = 0;
  std::vector<Column> children_;
};

Skipped Column::begin_children(NativeCursor& cursor, const std::vector<NativeType>& types) {
  for (const NativeType& type : types) {
    Column child(depth_ + 1);
    if (const Skipped done = child.begin(cursor, type); done != Skipped::whole) return done;
    children_.push_back(std::move(child));
  }
  return Skipped::whole;
}

Skipped Column::begin(NativeCursor& cursor, const NativeType& type) {
  if (depth_ > kDeepestColumn) return Skipped::unknown;
  const auto* alias = std::ranges::find(kAliases, std::string_view(type.name), &Alias::name);
  if (alias != kAliases.end()) return begin(cursor, *parse_native_type(alias->type));
  if (const auto size = fixed_size(type); size) {
    shape_ = Shape::fixed;
    size_ = *size;
    return Skipped::whole;
  }
  if (type.name == "String") {
    shape_ = Shape::text;
    return Skipped::whole;
  }
  if (type.name == "Dynamic") return begin_dynamic(cursor);
  if (type.name == "JSON") return begin_json(cursor, type);
  if (type.name == "Tuple") {
    shape_ = type.arguments.empty() ? Shape::fixed : Shape::tuple;
    size_ = 1;
    return begin_children(cursor, type.arguments);
  }
  if (type.name == "Map" || type.name == "Nested") {
    shape_ = Shape::array;
    NativeType row = plain_type("Tuple");
    row.arguments = type.arguments;
    return type.arguments.empty() ? Skipped::broken : begin_children(cursor, {std::move(row)});
  }
  if (type.name == "Variant") {
    shape_ = Shape::variant;
    const auto mode = cursor.fixed(8);
    if (!mode) return Skipped::broken;
    return *mode == 0 ? begin_children(cursor, type.arguments) : Skipped::unknown;
  }
  if (type.name == "SimpleAggregateFunction" && type.arguments.size() >= 2)
    return begin_children(cursor, {type.arguments.back()});
  if (type.arguments.size() != 1) return Skipped::unknown;
  if (type.name == "Array" || type.name == "Nullable") {
    shape_ = type.name == "Array" ? Shape::array : Shape::nullable;
    return begin_children(cursor, type.arguments);
  }
  if (type.name != "LowCardinality") return Skipped::unknown;
  shape_ = Shape::low_cardinality;
  if (cursor.fixed(8) != 1) return Skipped::broken;
  // The dictionary holds no NULL of its own kind: its first entry stands for it.
  const NativeType& inner = type.arguments.front();
  const bool nullable = inner.name == "Nullable" && inner.arguments.size() == 1;
  return begin_children(cursor, {nullable ? inner.arguments.front() : inner});
}

Skipped Column::begin_dynamic(NativeCursor& cursor) {
  const auto version = cursor.fixed(8);
  if (!version) return Skipped::broken;
  constexpr std::uint64_t kFirst = 1;
  constexpr std::uint64_t kFlat = 3;
  if (*version < kFirst || *version > kFlat) return Skipped::unknown;
  if (*version == kFirst && !cursor.varint()) return Skipped::broken;
  const auto count = cursor.varint();
  if (!count || *count > kMostTypes) return Skipped::broken;
  std::vector<NativeType> types;
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto text = cursor.text();
    auto type = text ? parse_native_type(*text) : std::nullopt;
    if (!type) return Skipped::broken;
    types.push_back(std::move(*type));
  }
  if (*version == kFlat) {
    shape_ = Shape::dynamic_flat;
    return begin_children(cursor, types);
  }
  // A Variant of the types and of one for all others, in the order of their names.
  NativeType others = plain_type("String");
  others.text = "SharedVariant";
  types.push_back(std::move(others));
  std::ranges::sort(types, {}, &NativeType::text);
  shape_ = Shape::variant;
  const auto mode = cursor.fixed(8);
  if (!mode) return Skipped::broken;
  return *mode == 0 ? begin_children(cursor, types) : Skipped::unknown;
}

Skipped Column::begin_json(NativeCursor& cursor, const NativeType& type) {
  const auto version = cursor.fixed(8);
  if (!version) return Skipped::broken;
  constexpr std::uint64_t kFirst = 0;
  constexpr std::uint64_t kText = 1;
  constexpr std::uint64_t kFlat = 3;
  if (*version > kFlat) return Skipped::unknown;
  if (*version == kText) {
    shape_ = Shape::text;
    return Skipped::whole;
  }
  if (*version == kFirst && !cursor.varint()) return Skipped::broken;
  const auto count = cursor.varint();
  if (!count || *count > kMostTypes) return Skipped::broken;
  for (std::uint64_t i = 0; i < *count; ++i) {
    if (!cursor.text()) return Skipped::broken;
  }
  // Paths with a type of their own come first, in the order of their names; then the others; then those that are many.
  std::map<std::string, NativeType> typed;
  for (const NativeType& argument : type.arguments) {
    if (!argument.label.empty()) typed.emplace(argument.label, argument);
  }
  shape_ = Shape::tuple;
  std::vector<NativeType> paths;
  for (auto& [path, inner] : typed) paths.push_back(std::move(inner));
  paths.resize(paths.size() + *count, plain_type("Dynamic"));
  if (*version != kFlat) paths.push_back(*parse_native_type("Array(Tuple(String, String))"));
  return begin_children(cursor, paths);
}

Skipped Column::children_values(NativeCursor& cursor, std::uint64_t rows) const {
  for (const Column& child : children_) {
    if (const Skipped done = child.values(cursor, rows); done != Skipped::whole) return done;
  }
  return Skipped::whole;
}

Skipped Column::values(NativeCursor& cursor, std::uint64_t rows) const {
  if (rows == 0) return Skipped::whole;
  const auto whole_if = [](bool done) { return done ? Skipped::whole : Skipped::broken; };
  switch (shape_) {
    case Shape::fixed:
      return whole_if(cursor.skip(rows, size_));
    case Shape::text:
      for (std::uint64_t i = 0; i < rows; ++i) {
        if (!cursor.text()) return Skipped::broken;
      }
      return Skipped::whole;
    case Shape::array:
      return array_values(cursor, rows);
    case Shape::nullable:
      return cursor.skip(rows) ? children_values(cursor, rows) : Skipped::broken;
    case Shape::low_cardinality:
      return low_cardinality_values(cursor, rows);
    case Shape::variant:
    case Shape::dynamic_flat:
      return variant_values(cursor, rows);
    case Shape::tuple:
    case Shape::wrapper:
      return children_values(cursor, rows);
  }
  return Skipped::unknown;
}

Skipped Column::array_values(NativeCursor& cursor, std::uint64_t rows) const {
  if (!cursor.skip(rows - 1, 8)) return Skipped::broken;
  const auto inside = cursor.fixed(8);
  return inside ? children_values(cursor, *inside) : Skipped::broken;
}

Skipped Column::low_cardinality_values(NativeCursor& cursor, std::uint64_t rows) const {
  constexpr std::uint64_t kKeysFollow = std::uint64_t{1} << 9;
  constexpr std::uint64_t kSharedDictionary = std::uint64_t{1} << 8;
  for (std::uint64_t done = 0; done < rows;) {
    const auto flags = cursor.fixed(8);
    if (!flags || (*flags & 0xFF) > 3) return Skipped::broken;
    if ((*flags & kSharedDictionary) != 0) return Skipped::unknown;
    if ((*flags & kKeysFollow) != 0) {
      const auto keys = cursor.fixed(8);
      if (!keys) return Skipped::broken;
      if (const Skipped skipped = children_values(cursor, *keys); skipped != Skipped::whole) return skipped;
    }
    const auto count = cursor.fixed(8);
    if (!count || *count == 0 || *count > rows - done) return Skipped::broken;
    if (!cursor.skip(*count, std::uint64_t{1} << (*flags & 0xFF))) return Skipped::broken;
    done += *count;
  }
  return Skipped::whole;
}

Skipped Column::variant_values(NativeCursor& cursor, std::uint64_t rows) const {
  const bool flat = shape_ == Shape::dynamic_flat;
  // Which type each row has; beyond the last type: NULL. Of a Variant one byte, flat as many as the number of types
  // asks for.
  const std::size_t types = children_.size();
  const std::size_t width = !flat || types < 0x100 ? 1 : types < 0x10000 ? 2 : 4;
  std::vector<std::uint64_t> counts(types, 0);
  for (std::uint64_t i = 0; i < rows; ++i) {
    const auto which = cursor.fixed(width);
    if (!which) return Skipped::broken;
    if (*which < types) ++counts[*which];
  }
  for (std::size_t i = 0; i < types; ++i) {
    if (const Skipped done = children_[i].values(cursor, counts[i]); done != Skipped::whole) return done;
  }
  return Skipped::whole;
}

}  // namespace

bool NativeCursor::skip(std::uint64_t count) {
  if (count > bytes_.size() - at_) return false;
  at_ += count;
  return true;
}

bool NativeCursor::skip(std::uint64_t count, std::uint64_t size) {
  if (size != 0 && count > (bytes_.size() - at_) / size) return false;
  return skip(count * size);
}

std::optional<std::uint64_t> NativeCursor::varint() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && at_ < bytes_.size(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes_[at_++]);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> NativeCursor::fixed(std::size_t size) {
  if (size > bytes_.size() - at_) return std::nullopt;
  std::uint64_t value = 0;
  std::memcpy(&value, bytes_.data() + at_, size);
  at_ += size;
  return value;
}

std::optional<std::string_view> NativeCursor::text() {
  const auto size = varint();
  const std::size_t begin = at_;
  if (!size || !skip(*size)) return std::nullopt;
  return bytes_.substr(begin, *size);
}

Skipped skip_native_column(NativeCursor& cursor, const NativeType& type, std::uint64_t rows) {
  Column column(0);
  const Skipped begun = column.begin(cursor, type);
  return begun == Skipped::whole ? column.values(cursor, rows) : begun;
}

}  // namespace marquee::engine
