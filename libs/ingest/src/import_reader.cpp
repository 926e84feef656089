#include "import_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace marquee::ingest {

Result<bool> CsvRows::next() {
  for (;;) {
    auto has_row = parser_.next();
    if (!has_row) return has_row;
    if (*has_row) {
      ++row_;
      return true;
    }
    auto piece = source_->read();
    if (!piece) return piece.error();
    if (!piece->empty()) {
      parser_.feed(*piece);
      continue;
    }
    parser_.finish();
    has_row = parser_.next();
    if (has_row && *has_row) ++row_;
    return has_row;
  }
}

Result<std::vector<std::string>> CsvRows::header() {
  const auto has_row = next();
  if (!has_row) return has_row.error();
  if (!*has_row) return Error::reject("the file is empty");
  row_ = 0;
  return std::vector<std::string>(fields().begin(), fields().end());
}

Result<std::vector<std::size_t>> find_columns(const std::vector<std::string>& header,
                                              std::initializer_list<std::string_view> names) {
  std::vector<std::size_t> result;
  for (const auto name : names) {
    const auto it = std::find(header.begin(), header.end(), name);
    if (it == header.end()) return Error::reject(fmt::format("the file has no column \"{}\"", name));
    result.push_back(static_cast<std::size_t>(it - header.begin()));
  }
  return result;
}

}  // namespace marquee::ingest
