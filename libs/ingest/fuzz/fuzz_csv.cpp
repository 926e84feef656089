// CSV of any bytes, whole and in two pieces: no crash, the cut makes no difference, and a row that is written is read
// back.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "import_csv.h"

namespace {

using Rows = std::vector<std::vector<std::string>>;

/// Nothing where the text is refused.
std::optional<Rows> read(std::string_view text, std::size_t cut) {
  marquee::ingest::CsvParser parser(1024);
  Rows rows;
  const auto take = [&] {
    for (;;) {
      const auto next = parser.next();
      if (!next) return false;
      if (!*next) return true;
      rows.emplace_back(parser.fields().begin(), parser.fields().end());
    }
  };
  parser.feed(text.substr(0, cut));
  if (!take()) return std::nullopt;
  parser.feed(text.substr(cut));
  parser.finish();
  if (!take()) return std::nullopt;
  return rows;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto whole = read(text, text.size());
  if (!whole) return 0;
  const auto cut = read(text, data[0] % (text.size() + 1));
  if (!cut || *cut != *whole) std::abort();
  std::string written;
  for (const auto& row : *whole) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) written += ',';
      marquee::ingest::append_csv_field(written, row[i]);
    }
    written += '\n';
  }
  const auto again = read(written, written.size());
  // A blank line is skipped, so that a row of one empty field is lost; a byte order mark of the first is too.
  if (again && again->size() == whole->size() && !written.starts_with("\xEF\xBB\xBF") && *again != *whole) std::abort();
  return 0;
}
