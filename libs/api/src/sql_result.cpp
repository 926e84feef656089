#include "sql_result.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace marquee::api {
namespace {

/// The first line of `text`, which is taken from it with its end; none where no line is whole.
std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

std::uint64_t whole_member(const Json& summary, const char* name) {
  const auto found = summary.find(name);
  if (found == summary.end() || !found->is_string()) return 0;
  const auto& text = found->get_ref<const std::string&>();
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Json columns_json(const Json& names, const Json& types) {
  Json columns = Json::array();
  for (std::size_t i = 0; i < names.size(); ++i) columns.push_back({{"name", names[i]}, {"type", types[i]}});
  return columns;
}

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }

}  // namespace

SqlCost sql_cost(std::string_view summary) {
  const Json json = Json::parse(summary, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return {};
  return {.seconds = static_cast<double>(whole_member(json, "elapsed_ns")) / 1e9,
          .rows_read = whole_member(json, "read_rows"),
          .bytes_read = whole_member(json, "read_bytes")};
}

Result<std::string> sql_answer_json(std::string_view lines, const SqlLimits& limits, const SqlCost& cost) {
  Json columns = Json::array();
  if (!lines.empty()) {
    const auto names = Json::parse(take_line(lines).value_or(""), nullptr, /*allow_exceptions=*/false);
    const auto types = Json::parse(take_line(lines).value_or(""), nullptr, /*allow_exceptions=*/false);
    if (!names.is_array() || !types.is_array() || names.size() != types.size())
      return Error::give_up("the store's answer has no names and types of columns");
    columns = columns_json(names, types);
  }
  std::string body = R"({"columns":)" + json_text(columns) + R"(,"rows":[)";
  std::size_t rows = 0, bytes = 0;
  const char* cut = nullptr;
  // A row is JSON already, in a line of its own.
  for (auto line = take_line(lines); line; line = take_line(lines)) {
    if (line->empty()) continue;
    if (rows == limits.rows) cut = "rows";
    if (bytes + line->size() > limits.bytes) cut = "bytes";
    if (cut != nullptr) break;
    if (rows > 0) body += ',';
    body += *line;
    bytes += line->size();
    ++rows;
  }
  const Json foot = {{"cut", cut == nullptr ? Json(nullptr) : Json(cut)},
                     {"seconds", cost.seconds},
                     {"rows_read", cost.rows_read},
                     {"bytes_read", cost.bytes_read}};
  return body + "]," + json_text(foot).substr(1);
}

std::optional<SqlPlace> sql_place(std::string_view message, std::string_view sql) {
  constexpr std::string_view kMark = "failed at position ";
  const std::size_t at = message.find(kMark);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view digits = message.substr(at + kMark.size());
  std::size_t position = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), position);
  if (position == 0) return std::nullopt;
  SqlPlace place;
  for (const char byte : sql.substr(0, std::min(position - 1, sql.size()))) {
    if (!begins_character(byte)) continue;
    ++place.offset;
    ++place.column;
    if (byte != '\n') continue;
    ++place.line;
    place.column = 1;
  }
  return place;
}

std::string sql_message(std::string_view message) {
  constexpr std::string_view kMark = "DB::Exception: ";
  if (const std::size_t at = message.find(kMark); message.starts_with("Code: ") && at != std::string_view::npos)
    message.remove_prefix(at + kMark.size());
  return std::string(message.substr(0, message.rfind(" (version ")));
}

}  // namespace marquee::api
