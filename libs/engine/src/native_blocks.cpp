#include "native_blocks.h"

#include <fmt/format.h>

#include "native_column.h"

namespace marquee::engine {
namespace {

// The first version of the protocol in which a column says whether its serialization is an unusual one.
constexpr std::uint64_t kMarksSerialization = 54454;
// Field 1: not an overflow; field 2: no bucket (-1); end of fields.
constexpr std::string_view kBlockInformation("\x01\x00\x02\xff\xff\xff\xff\x00", 8);

std::unexpected<Failure> broken_native() {
  return std::unexpected(failure(kIncorrectData, "INCORRECT_DATA", "the engine's Native blocks cannot be read"));
}

void add_text(std::string& out, std::string_view text) {
  std::size_t size = text.size();
  for (; size >= 0x80; size >>= 7) out.push_back(static_cast<char>(size | 0x80));
  out.push_back(static_cast<char>(size));
  out += text;
}

/// What a block is copied for.
struct Target {
  std::uint64_t version = 0;
  const TypesOf& types;
};

/// The type's name as it was before it lost its zone.
std::string_view with_zone(std::string_view type, const TypesOf& types, std::uint64_t column) {
  if (type != "DateTime" || !types) return type;
  const auto& all = types();
  return column < all.size() && all[column].starts_with("DateTime(") ? std::string_view(all[column]) : type;
}

Answer<> copy_column(NativeCursor& cursor, std::string_view blocks, std::uint64_t rows, std::uint64_t column,
                     const Target& target, std::string& out) {
  const std::uint64_t version = target.version;
  const std::size_t begin = cursor.at();
  const auto name = cursor.text();
  const std::size_t after_name = cursor.at();
  const auto type_name = cursor.text();
  if (!name || !type_name) return broken_native();
  out += blocks.substr(begin, after_name - begin);
  add_text(out, with_zone(*type_name, target.types, column));
  if (version >= kMarksSerialization) out.push_back('\0');
  if (rows == 0) return {};
  const auto type = parse_native_type(*type_name);
  if (!type) return broken_native();
  const std::size_t values = cursor.at();
  const Skipped skipped = skip_native_column(cursor, *type, rows);
  if (skipped == Skipped::unknown) {
    return std::unexpected(failure(
        kNotImplemented, "NOT_IMPLEMENTED",
        fmt::format("a column of type {} cannot be sent in format Native with client_protocol_version", *type_name)));
  }
  if (skipped == Skipped::broken) return broken_native();
  out += blocks.substr(values, cursor.at() - values);
  return {};
}

}  // namespace

Answer<std::string> native_for_protocol(std::string_view blocks, std::uint64_t version, const TypesOf& types) {
  std::string out;
  if (version == 0) return out = blocks;
  out.reserve(blocks.size() + 64);
  NativeCursor cursor(blocks);
  while (!cursor.is_at_end()) {
    out += kBlockInformation;
    const std::size_t begin = cursor.at();
    const auto columns = cursor.varint();
    const auto rows = cursor.varint();
    if (!columns || !rows) return broken_native();
    out += blocks.substr(begin, cursor.at() - begin);
    for (std::uint64_t i = 0; i < *columns; ++i) {
      if (auto copied = copy_column(cursor, blocks, *rows, i, {version, types}, out); !copied) {
        return std::unexpected(copied.error());
      }
    }
  }
  return out;
}

}  // namespace marquee::engine
