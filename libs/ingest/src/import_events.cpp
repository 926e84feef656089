// Marquee's own events from NDJSON and CSV files.
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <optional>

#include "import_reader.h"
#include "marquee/base/json_text.h"

namespace marquee::ingest {
namespace {

constexpr std::size_t kMaxLine = std::size_t{1} << 20;

class EventLinesReader final : public ImportReader {
 public:
  EventLinesReader(std::unique_ptr<ByteSource> source, std::string file_id)
      : source_(std::move(source)), file_id_(std::move(file_id)) {}

  Result<bool> next(ImportRecord& record) override {
    for (;;) {
      const auto has_line = next_line();
      if (!has_line || !*has_line) return has_line;
      if (line_.find_first_not_of(" \t\r") != std::string_view::npos) break;
    }
    record = {};
    record.row = ++row_;
    record.line = line_number_;
    map(record);
    return true;
  }
  [[nodiscard]] std::uint64_t consumed() const override { return source_->consumed(); }

 private:
  Result<bool> next_line() {
    for (;;) {
      const auto end = buffer_.find('\n', searched_);
      if (end != std::string::npos || is_finished_) {
        if (end == std::string::npos && begin_ == buffer_.size()) return false;
        const auto stop = std::min(end, buffer_.size());
        line_ = std::string_view(buffer_).substr(begin_, stop - begin_);
        begin_ = searched_ = std::min(stop + 1, buffer_.size());
        ++line_number_;
        return true;
      }
      if (buffer_.size() - begin_ > kMaxLine)
        return Error::reject(
            fmt::format("line {} is longer than {} bytes; is this NDJSON?", line_number_ + 1, kMaxLine));
      buffer_.erase(0, begin_);
      begin_ = 0;
      searched_ = buffer_.size();
      auto piece = source_->read();
      if (!piece) return piece.error();
      is_finished_ = piece->empty();
      buffer_.append(*piece);
    }
  }

  void map(ImportRecord& record) {
    simdjson::dom::element root;
    simdjson::dom::object object;
    const auto error = parser_.parse(line_.data(), line_.size()).get(root);
    if (error != simdjson::SUCCESS) {
      record.refusal = fmt::format("not JSON: {}", simdjson::error_message(error));
      return;
    }
    if (root.get(object) != simdjson::SUCCESS) {
      record.refusal = "not a JSON object";
      return;
    }
    bool has_identity = false;
    std::optional<std::string_view> text_props;
    for (const auto& [name, value] : object) {
      if ((name == "external_id" || name == "session_id") && !value.is_null()) has_identity = true;
      std::string_view text;
      if (name == "props" && value.get(text) == simdjson::SUCCESS) text_props = text;
    }
    if (has_identity && !text_props) {
      record.ndjson += line_.ends_with('\r') ? line_.substr(0, line_.size() - 1) : line_;
    } else {
      rewrite(object, has_identity, record);
    }
    record.ndjson += '\n';
    record.events = 1;
  }

  void rewrite(simdjson::dom::object object, bool has_identity, ImportRecord& record) {
    JsonObject out(record.ndjson);
    for (const auto& [name, value] : object) {
      std::string_view text;
      if (name == "props" && value.get(text) == simdjson::SUCCESS) {
        simdjson::dom::element props;
        if (props_parser_.parse(text.data(), text.size()).get(props) == simdjson::SUCCESS && props.is_object()) {
          out.raw(name, simdjson::minify(props));
          continue;
        }
      }
      if (!value.is_null()) out.raw(name, simdjson::minify(value));
    }
    if (!has_identity) out.text("external_id", fmt::format("{}:{}", file_id_, record.row));
    out.end();
  }

  std::unique_ptr<ByteSource> source_;
  std::string file_id_;
  simdjson::dom::parser parser_, props_parser_;
  std::string buffer_;
  std::size_t begin_ = 0, searched_ = 0;
  std::string_view line_;
  bool is_finished_ = false;
  std::uint64_t line_number_ = 0;
  std::uint64_t row_ = 0;
};

// Fields of an event that are text whatever they look like: an ad may be called "7" or "true".
constexpr std::array<std::string_view, 29> kTextFields = {
    "type",        "event_type", "session_id",  "external_id", "user_id",       "college_id",
    "program",     "city",       "device",      "os",          "browser",       "consent",
    "site_id",     "page_id",    "page_path",   "referrer",    "referrer_host", "slot_id",
    "campaign_id", "ad_id",      "decision_id", "course_id",   "search_query",  "policy",
    "name",        "title",      "url",         "module",      "component"};

class EventCsvReader final : public ImportReader {
 public:
  EventCsvReader(CsvRows rows, std::vector<std::string> header, std::string file_id)
      : rows_(std::move(rows)), header_(std::move(header)), file_id_(std::move(file_id)) {
    for (const auto& name : header_)
      is_text_.push_back(std::find(kTextFields.begin(), kTextFields.end(), name) != kTextFields.end());
  }

  Result<bool> next(ImportRecord& record) override {
    const auto has_row = rows_.next();
    if (!has_row || !*has_row) return has_row;
    record = {};
    record.row = rows_.row();
    record.line = rows_.line();
    if (rows_.fields().size() != header_.size()) {
      record.refusal = "the row has another number of columns than the header";
    } else {
      map(record);
    }
    return true;
  }
  [[nodiscard]] std::uint64_t consumed() const override { return rows_.consumed(); }

 private:
  static bool is_object(std::string_view text) { return text.starts_with('{') && text.ends_with('}'); }

  static void add(JsonObject& object, std::string_view name, std::string_view cell, bool is_text) {
    if (!is_text && (is_json_number(cell) || cell == "true" || cell == "false")) {
      object.raw(name, cell);
    } else {
      object.text(name, cell);
    }
  }

  void map(ImportRecord& record) {
    JsonObject event(record.ndjson);
    std::string props;
    JsonObject props_object(props);
    bool has_props = false;
    bool has_identity = false;
    for (std::size_t i = 0; i < header_.size(); ++i) {
      const auto cell = rows_.fields()[i];
      const std::string_view name = header_[i];
      if (cell.empty() || name.empty()) continue;
      has_identity |= name == "external_id" || name == "session_id";
      if (name.starts_with("props.")) {
        add(props_object, name.substr(6), cell, false);
        has_props = true;
      } else if (name == "props") {
        simdjson::dom::element value;
        if (is_object(cell) && parser_.parse(cell.data(), cell.size()).get(value) == simdjson::SUCCESS) {
          event.raw(name, simdjson::minify(value));
        } else {
          event.text(name, cell);
        }
      } else {
        add(event, name, cell, is_text_[i]);
      }
    }
    if (has_props) {
      props_object.end();
      event.raw("props", props);
    }
    if (!has_identity) event.text("external_id", fmt::format("{}:{}", file_id_, record.row));
    event.end();
    record.ndjson += '\n';
    record.events = 1;
  }

  CsvRows rows_;
  std::vector<std::string> header_;
  std::vector<bool> is_text_;
  std::string file_id_;
  simdjson::dom::parser parser_;
};

}  // namespace

std::unique_ptr<ImportReader> read_event_lines(std::unique_ptr<ByteSource> source, std::string file_id) {
  return std::make_unique<EventLinesReader>(std::move(source), std::move(file_id));
}

Result<std::unique_ptr<ImportReader>> read_event_csv(std::unique_ptr<ByteSource> source, std::string file_id) {
  CsvRows rows(std::move(source));
  auto header = rows.header();
  if (!header) return header.error();
  const auto has = [&](std::string_view name) {
    return std::find(header->begin(), header->end(), name) != header->end();
  };
  if (!has("type") && !has("event_type"))
    return Error::reject("the header has no column \"type\"; its names must be those of POST /v1/events");
  return std::make_unique<EventCsvReader>(std::move(rows), std::move(*header), std::move(file_id));
}

}  // namespace marquee::ingest
