#include "native_blocks.h"

#include <fmt/format.h>

#include "native_column.h"

namespace marquee::engine {
namespace {

// The first version of the protocol in which a column says whether its serialization is an unusual one.
constexpr std::uint64_t kMarksSerialization = 54454;
// Field 1: not an overflow; field 2: no bucket (-1); end of fields.
constexpr std::string_view kBlockInformation("\x01\x00\x02\xff\xff\xff\xff\x00", 8);

std::unexpected<Failure> broken() {
  return std::unexpected(failure(kIncorrectData, "INCORRECT_DATA", "the engine's Native blocks cannot be read"));
}

Answer<> copy_column(NativeCursor& cursor, std::string_view blocks, std::uint64_t rows, std::uint64_t version,
                     std::string& out) {
  const std::size_t begin = cursor.at();
  const auto name = cursor.text();
  const auto type_name = cursor.text();
  if (!name || !type_name) return broken();
  out += blocks.substr(begin, cursor.at() - begin);
  if (version >= kMarksSerialization) out.push_back('\0');
  if (rows == 0) return {};
  const auto type = parse_native_type(*type_name);
  if (!type) return broken();
  const std::size_t values = cursor.at();
  const Skipped skipped = skip_native_column(cursor, *type, rows);
  if (skipped == Skipped::unknown) {
    return std::unexpected(failure(
        kNotImplemented, "NOT_IMPLEMENTED",
        fmt::format("a column of type {} cannot be sent in format Native with client_protocol_version", *type_name)));
  }
  if (skipped == Skipped::broken) return broken();
  out += blocks.substr(values, cursor.at() - values);
  return {};
}

}  // namespace

Answer<std::string> native_for_protocol(std::string_view blocks, std::uint64_t version) {
  std::string out;
  if (version == 0) return out = blocks;
  out.reserve(blocks.size() + 64);
  NativeCursor cursor(blocks);
  while (!cursor.is_at_end()) {
    out += kBlockInformation;
    const std::size_t begin = cursor.at();
    const auto columns = cursor.varint();
    const auto rows = cursor.varint();
    if (!columns || !rows) return broken();
    out += blocks.substr(begin, cursor.at() - begin);
    for (std::uint64_t i = 0; i < *columns; ++i) {
      if (auto copied = copy_column(cursor, blocks, *rows, version, out); !copied) {
        return std::unexpected(copied.error());
      }
    }
  }
  return out;
}

}  // namespace marquee::engine
