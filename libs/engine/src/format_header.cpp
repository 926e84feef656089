#include "format_header.h"

#include <algorithm>
#include <array>

#include "native_column.h"

namespace marquee::engine {
namespace {

using namespace std::string_view_literals;

constexpr std::array kFamilies = {"CSV"sv,
                                  "TSV"sv,
                                  "TSVRaw"sv,
                                  "TabSeparated"sv,
                                  "TabSeparatedRaw"sv,
                                  "RowBinary"sv,
                                  "JSONCompactEachRow"sv,
                                  "JSONCompactStringsEachRow"sv};
constexpr std::string_view kNames = "WithNames";
constexpr std::string_view kTypes = "AndTypes";

std::string_view family(std::string_view format) { return format.substr(0, format.find(kNames)); }

/// The size of `lines` lines; a line break in CSV's quotes ends none.
std::size_t size_of_lines(std::string_view text, unsigned lines, bool quotes) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quotes && text[i] == '"') quoted = !quoted;
    if (text[i] == '\n' && !quoted && --lines == 0) return i + 1;
  }
  return text.size();
}

}  // namespace

bool repeats_header(std::string_view format) {
  const std::string_view rest = format.substr(std::min(format.size(), family(format).size()));
  return (rest == kNames || (rest.starts_with(kNames) && rest.substr(kNames.size()) == kTypes)) &&
         std::ranges::find(kFamilies, family(format)) != kFamilies.end();
}

std::size_t HeaderOnce::size_of_header(std::string_view piece) const {
  const bool has_types = format_.ends_with(kTypes);
  if (family(format_) != "RowBinary") return size_of_lines(piece, has_types ? 2 : 1, family(format_) == "CSV");
  NativeCursor cursor(piece);
  const auto columns = cursor.varint();
  if (!columns) return 0;
  for (std::uint64_t i = 0; i < *columns * (has_types ? 2 : 1); ++i) {
    if (!cursor.text()) return 0;
  }
  return cursor.at();
}

std::string HeaderOnce::pass(std::string piece) {
  if (header_.empty()) {
    header_ = piece.substr(0, size_of_header(piece));
  } else if (piece.starts_with(header_)) {
    piece.erase(0, header_.size());
  } else if (piece.ends_with(header_)) {
    piece.resize(piece.size() - header_.size());  // After totals.
  }
  return piece;
}

}  // namespace marquee::engine
