// CSV as RFC 4180 has it, read as a stream: quoted fields may hold commas, doubled quotes and line ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"

namespace marquee::ingest {

/// Takes bytes as they come, gives rows. Lenient where files in the wild differ from the RFC: LF or CRLF, a UTF-8 byte
/// order mark, blank lines (skipped), a quote inside an unquoted field (kept), text after a closing quote (appended).
/// Not thread safe.
class CsvParser {
 public:
  /// A row longer than `max_row_bytes` is refused: it is mostly a quote that was never closed.
  explicit CsvParser(std::size_t max_row_bytes = std::size_t{1} << 20) : max_row_bytes_(max_row_bytes) {}

  void feed(std::string_view bytes);
  void finish() { is_finished_ = true; }

  /// True: fields() and line() are the next row. False: more bytes are needed, or after finish(), the end.
  /// Action::reject, naming the line, for an unclosed quote or too long a row; nothing can be read after it.
  [[nodiscard]] Result<bool> next();

  /// Of the last row; valid until the next call of next() or feed().
  [[nodiscard]] const std::vector<std::string_view>& fields() const { return fields_; }
  /// Line of the file, from 1, on which the last row begins.
  [[nodiscard]] std::uint64_t line() const { return row_line_; }

 private:
  enum class Scan { row, incomplete, blank };
  [[nodiscard]] Scan scan_row();
  [[nodiscard]] bool scan_quoted(std::size_t& at);
  void end_field();

  std::size_t max_row_bytes_;
  std::string buffer_;
  std::size_t begin_ = 0;  ///< Of the next row in buffer_.
  bool is_finished_ = false;
  bool is_at_start_ = true;
  bool is_in_quotes_ = false;  ///< Where the scan of an incomplete row stopped.
  std::uint64_t line_ = 1;
  std::uint64_t lines_in_row_ = 0;
  std::uint64_t row_line_ = 0;
  std::string text_;               ///< Unescaped fields, one after the other.
  std::vector<std::size_t> ends_;  ///< Of the fields in text_.
  std::vector<std::string_view> fields_;
};

/// One field as CSV, quoted where it must be.
void append_csv_field(std::string& out, std::string_view field);

}  // namespace marquee::ingest
