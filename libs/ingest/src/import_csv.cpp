#include "import_csv.h"

#include <fmt/format.h>

namespace marquee::ingest {

void CsvParser::feed(std::string_view bytes) {
  buffer_.erase(0, begin_);
  begin_ = 0;
  buffer_.append(bytes);
}

void CsvParser::end_field() { ends_.push_back(text_.size()); }

// `at` stands after the opening quote; afterwards behind the closing one. False where the bytes end before it.
bool CsvParser::scan_quoted(std::size_t& at) {
  for (;;) {
    const auto quote = buffer_.find('"', at);
    const auto piece = std::string_view(buffer_).substr(at, quote == std::string::npos ? quote : quote - at);
    for (const char c : piece) lines_in_row_ += c == '\n' ? 1 : 0;
    text_.append(piece);
    if (quote == std::string::npos) return false;
    at = quote + 1;
    if (at == buffer_.size()) return is_finished_;  // A doubled quote may follow in the next bytes.
    if (buffer_[at] != '"') return true;
    text_ += '"';
    ++at;
  }
}

CsvParser::Scan CsvParser::scan_row() {
  text_.clear();
  ends_.clear();
  lines_in_row_ = 0;
  is_in_quotes_ = false;
  auto at = begin_;
  bool is_field_start = true;
  for (;;) {
    if (at == buffer_.size()) {
      if (!is_finished_) return Scan::incomplete;
      if (at == begin_) return Scan::incomplete;
      break;
    }
    const char c = buffer_[at];
    if (c == '"' && is_field_start) {
      ++at;
      if (!scan_quoted(at)) {
        is_in_quotes_ = true;
        return Scan::incomplete;
      }
      is_field_start = false;
      continue;
    }
    is_field_start = false;
    if (c == ',') {
      end_field();
      is_field_start = true;
      ++at;
    } else if (c == '\n') {
      ++at;
      ++lines_in_row_;
      break;
    } else if (c == '\r' && at + 1 == buffer_.size() && !is_finished_) {
      return Scan::incomplete;
    } else if (c == '\r' && at + 1 < buffer_.size() && buffer_[at + 1] == '\n') {
      ++at;
    } else {
      const auto stop = buffer_.find_first_of(",\n\r", at + 1);
      const auto end = stop == std::string::npos ? buffer_.size() : stop;
      text_.append(buffer_, at, end - at);
      at = end;
    }
  }
  end_field();
  // A row of one empty field is an empty line, unless it was written as "".
  const auto raw = std::string_view(buffer_).substr(begin_, at - begin_);
  const bool is_blank = raw == "\n" || raw == "\r\n";
  begin_ = at;
  return is_blank ? Scan::blank : Scan::row;
}

Result<bool> CsvParser::next() {
  if (is_at_start_) {
    if (buffer_.size() < 3 && !is_finished_) return false;
    if (buffer_.starts_with("\xEF\xBB\xBF")) begin_ = 3;
    is_at_start_ = false;
  }
  for (;;) {
    const auto scan = scan_row();
    if (scan == Scan::incomplete) {
      if (buffer_.size() - begin_ > max_row_bytes_)
        return Error::reject(
            fmt::format("line {}: a row longer than {} bytes; is a quote not closed?", line_, max_row_bytes_));
      if (is_finished_ && is_in_quotes_)
        return Error::reject(fmt::format("line {}: a quote is opened and never closed", line_));
      return false;
    }
    row_line_ = line_;
    line_ += lines_in_row_;
    if (scan == Scan::row) break;
  }
  fields_.clear();
  std::size_t from = 0;
  for (const auto end : ends_) {
    fields_.push_back(std::string_view(text_).substr(from, end - from));
    from = end;
  }
  return true;
}

void append_csv_field(std::string& out, std::string_view field) {
  if (!field.empty() && field.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += field;
    return;
  }
  out += '"';
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace marquee::ingest
