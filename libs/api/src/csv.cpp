#include "csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace marquee::api {
namespace {

bool may_be_formula(std::string_view text) {
  // Spreadsheets skip spaces before a formula. The last four are the full-width forms of = + - @.
  constexpr std::string_view kBegins[] = {"=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"};
  const auto first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return false;
  text.remove_prefix(first);
  return std::ranges::any_of(kBegins, [&](std::string_view begin) { return text.starts_with(begin); });
}

void add_text(std::string& out, std::string_view text) {
  const bool is_guarded = may_be_formula(text);
  const bool is_quoted = text.empty() || text.find_first_of(",\"\r\n") != std::string_view::npos;
  if (is_quoted) out += '"';
  if (is_guarded) out += '\'';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  if (is_quoted) out += '"';
}

/// Text that is no UTF-8 with U+FFFD in place of what is none.
std::string valid(const std::string& text) { return Json::parse(json_text(text)).get<std::string>(); }

void add_cell(std::string& out, const Json& cell) {
  if (cell.is_string()) {
    add_text(out, valid(cell.get_ref<const std::string&>()));
  } else if (cell.is_number_float()) {
    out += fmt::format("{}", cell.get<double>());
  } else if (!cell.is_null()) {
    out += cell.dump();
  }
}

}  // namespace

std::string csv_of(const ReportTable& table) {
  std::string out;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (i != 0) out += ',';
    add_text(out, valid(table.columns[i].name));
  }
  out += "\r\n";
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i != 0) out += ',';
      add_cell(out, row[i]);
    }
    out += "\r\n";
  }
  return out;
}

}  // namespace marquee::api
