#include "report_files.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "csv.h"
#include "report_chart.h"
#include "report_table.h"

namespace marquee::api {
namespace {

struct Format {
  ReportFormat format;
  const char* name;
  const char* type;  ///< RFC 6838; that of Parquet is registered with IANA.
};
constexpr Format kReportFormats[] = {{ReportFormat::json, "json", "application/json"},
                                     {ReportFormat::table, "table", "application/vnd.marquee.table+json"},
                                     {ReportFormat::csv, "csv", "text/csv"},
                                     {ReportFormat::parquet, "parquet", "application/vnd.apache.parquet"},
                                     {ReportFormat::png, "png", "image/png"}};

const char* name_of(ReportFormat format) { return kReportFormats[static_cast<std::size_t>(format)].name; }
const char* content_type_of(ReportFormat format) { return kReportFormats[static_cast<std::size_t>(format)].type; }

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// Takes the text up to `mark` off the front.
std::string_view take(std::string_view& text, char mark) {
  const auto end = text.find(mark);
  const auto part = trimmed(text.substr(0, end));
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

/// The accepted format of the highest weight, the first of several.
ReportFormat accepted(std::string_view accept) {
  ReportFormat best = ReportFormat::json;
  double best_weight = 0;
  while (!accept.empty()) {
    auto parameters = take(accept, ',');
    const auto type = take(parameters, ';');
    double weight = 1;
    while (!parameters.empty()) {
      auto value = take(parameters, ';');
      if (take(value, '=') == "q") std::from_chars(value.data(), value.data() + value.size(), weight);
    }
    for (const auto& format : kReportFormats) {
      const bool fits = type == format.type || (format.format == ReportFormat::json && type == "*/*");
      if (fits && weight > best_weight) {
        best = format.format;
        best_weight = weight;
      }
    }
  }
  return best;
}

const char* store_type(CellType type) {
  switch (type) {
    case CellType::text:
      return "Nullable(String)";
    case CellType::count:
      return "Nullable(UInt64)";
    case CellType::real:
    case CellType::share:
      return "Nullable(Float64)";
    case CellType::truth:
      return "Nullable(Bool)";
    case CellType::day:
      return "Nullable(Date32)";
    case CellType::time:
      return "Nullable(DateTime64(3, 'UTC'))";
  }
  return "";
}

std::string quoted_name(std::string_view name) {
  std::string text = "`";
  for (const char c : name) {
    if (c == '`' || c == '\\') text += '\\';
    text += c;
  }
  return text + '`';
}

/// "2026-01-31 08:00:00.000" of "2026-01-31T08:00:00.000Z".
Json store_time(const Json& cell) {
  if (!cell.is_string()) return nullptr;
  auto text = cell.get<std::string>();
  if (const auto at = text.find('T'); at != std::string::npos) text[at] = ' ';
  if (text.ends_with('Z')) text.pop_back();
  return text;
}

Result<std::string> parquet_of(const ReportTable& table, clickhouse::Client& store) {
  clickhouse::ExternalTable rows{.name = "report", .structure = {}, .format = "JSONCompactEachRow", .data = {}};
  for (const auto& column : table.columns) {
    if (!rows.structure.empty()) rows.structure += ", ";
    rows.structure += fmt::format("{} {}", quoted_name(column.name), store_type(column.type));
  }
  for (const auto& row : table.rows) {
    Json cells = Json::array();
    for (std::size_t i = 0; i < row.size(); ++i)
      cells.push_back(table.columns[i].type == CellType::time ? store_time(row[i]) : row[i]);
    rows.data += json_text(cells);
    rows.data += '\n';
  }
  // One thread reads the rows in their order.
  return store.query_with("SELECT * FROM report", rows, {.settings = {{"max_threads", "1"}}, .format = "Parquet"});
}

Json table_json(const Json& report, const ReportTable& table, const std::optional<ReportChart>& chart) {
  Json columns = Json::array();
  for (const auto& column : table.columns) columns.push_back({{"name", column.name}, {"type", name_of(column.type)}});
  return {{"site", report.at("site")}, {"from", report.at("from")},
          {"to", report.at("to")},     {"columns", columns},
          {"rows", table.rows},        {"chart", chart ? chart_json(*chart, table) : Json(nullptr)}};
}

Result<std::string> png_of(const Json& report, const ReportTable& table, const ReportChart& chart,
                           const std::string& title) {
  return chart::png(caption_of(chart, table, report, title), picture_of(chart, table));
}

/// Which format an address gives depends on what is accepted.
http::Response varied(http::Response answer) {
  answer.headers.add("Vary", "Accept");
  return answer;
}

/// As attachment, under a name that every system takes, and its own where it is told by RFC 6266.
std::string disposition(const std::string& title, const char* ending) {
  std::string plain;
  for (const char c : title)
    plain += (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' || c == '.' ? c : '_';
  auto text = fmt::format("attachment; filename=\"{}.{}\"", plain, ending);
  if (plain != title) text += fmt::format("; filename*=UTF-8''{}.{}", http::percent_encode(title), ending);
  return text;
}

}  // namespace

Result<ReportFormat> wanted_format(const http::Request& request) {
  const auto name = request.query_parameter("format");
  if (!name) return accepted(request.headers.get("Accept"));
  for (const auto& format : kReportFormats)
    if (*name == format.name) return format.format;
  return Error::reject("format: expected one of json, table, csv, parquet, png");
}

std::string report_title(std::string_view kind, const Json& report) {
  std::string title = fmt::format("{}-{}", kind, report.value("site", ""));
  for (const char* end : {"from", "to"})
    if (const auto& time = report.at(end); time.is_string())
      title += "-" + time.get_ref<const std::string&>().substr(0, 10);
  return title;
}

http::Response report_file(std::string_view kind, const Json& report, ReportFormat format, const std::string& title,
                           clickhouse::Client& store) {
  if (format == ReportFormat::json) return varied(json_answer(200, report));
  const auto table = report_table(kind, report);
  const auto chart = chart_of(kind, report, table);
  if (format == ReportFormat::table) {
    auto answer = json_answer(200, table_json(report, table, chart));
    answer.headers.set("Content-Type", content_type_of(format));
    return varied(std::move(answer));
  }
  if (format == ReportFormat::png && !chart)
    return error_answer(422, "format: there is no picture of this report: it has no rows, or is a list of users",
                        "format");
  Result<std::string> body = format == ReportFormat::csv       ? csv_of(table)
                             : format == ReportFormat::parquet ? parquet_of(table, store)
                                                               : png_of(report, table, *chart, title);
  if (!body) return error_answer(body.error());
  http::Response answer;
  answer.headers.add("Content-Type",
                     format == ReportFormat::csv ? "text/csv; charset=utf-8; header=present" : content_type_of(format));
  answer.headers.add("Content-Disposition", disposition(title, name_of(format)));
  answer.headers.add("Cache-Control", "no-store");
  answer.headers.add("X-Content-Type-Options", "nosniff");
  answer.body = std::move(*body);
  return varied(std::move(answer));
}

}  // namespace marquee::api
