#include "marquee/ingest/file_rows.h"

#include "import_reader.h"

namespace marquee::ingest {
namespace {

class CsvFileRows final : public FileRows {
 public:
  explicit CsvFileRows(std::unique_ptr<ByteSource> source) : rows_(std::move(source)) {}
  Result<bool> next() override { return rows_.next(); }
  [[nodiscard]] const std::vector<std::string_view>& fields() const override { return rows_.fields(); }
  [[nodiscard]] std::uint64_t line() const override { return rows_.line(); }

 private:
  CsvRows rows_;
};

class LineFileRows final : public FileRows {
 public:
  explicit LineFileRows(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}

  Result<bool> next() override {
    text_.clear();
    for (;;) {
      if (rest_.empty()) {
        const auto piece = source_->read();
        if (!piece) return piece.error();
        if (piece->empty()) break;
        rest_ = *piece;
      }
      const auto end = rest_.find('\n');
      text_ += rest_.substr(0, end);
      rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
      if (end == std::string_view::npos) continue;
      ++line_;
      if (is_blank()) {
        text_.clear();
        continue;
      }
      fields_ = {text_};
      return true;
    }
    if (is_blank()) return false;
    ++line_;
    fields_ = {text_};
    return true;
  }
  [[nodiscard]] const std::vector<std::string_view>& fields() const override { return fields_; }
  [[nodiscard]] std::uint64_t line() const override { return line_; }

 private:
  [[nodiscard]] bool is_blank() const { return text_.find_first_not_of(" \t\r") == std::string::npos; }

  std::unique_ptr<ByteSource> source_;
  std::string_view rest_;  ///< Of the piece that was read last.
  std::string text_;
  std::vector<std::string_view> fields_;
  std::uint64_t line_ = 0;
};

}  // namespace

Result<std::unique_ptr<FileRows>> open_rows(const std::string& path, FileRows::Form form) {
  auto source = open_source(path);
  if (!source) return source.error();
  if (form == FileRows::Form::csv) return std::make_unique<CsvFileRows>(std::move(*source));
  return std::make_unique<LineFileRows>(std::move(*source));
}

}  // namespace marquee::ingest
