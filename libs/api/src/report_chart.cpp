#include "report_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>

namespace marquee::api {
namespace {

std::optional<std::size_t> column(const ReportTable& table, std::string_view name) {
  const auto it = std::ranges::find(table.columns, name, &ReportColumn::name);
  if (it == table.columns.end()) return std::nullopt;
  return static_cast<std::size_t>(it - table.columns.begin());
}

std::size_t known_column(const ReportTable& table, std::string_view name) { return column(table, name).value(); }

bool is_time(const ReportColumn& column) { return column.type == CellType::day || column.type == CellType::time; }

/// Of a table by dimensions: lines where one of them is a time, bars by the others, and alone the numbers.
ReportChart chart_by(const Json& report, const ReportTable& table, std::size_t value) {
  ReportChart chart;
  chart.value = value;
  for (std::size_t i = 0; i < report.at("by").size(); ++i) {
    if (!chart.x && is_time(table.columns[i])) {
      chart.x = i;
    } else {
      chart.labels.push_back(i);
    }
  }
  chart.kind = chart.x ? ChartKind::lines : chart.labels.empty() ? ChartKind::figures : ChartKind::bars;
  return chart;
}

ReportChart heatmap_chart(const Json& report, const ReportTable& table) {
  const bool is_positions = report.value("mode", "") == "positions";
  return {.kind = ChartKind::cells,
          .labels = {known_column(table, is_positions ? "slot" : "y")},
          .x = known_column(table, "x"),
          .value = known_column(table, is_positions ? "ctr" : "clicks"),
          .is_grid = !is_positions};
}

std::string cell_text(const Json& cell, CellType type) {
  if (cell.is_null()) return "–";
  if (cell.is_boolean()) return cell.get<bool>() ? "yes" : "no";
  if (cell.is_number())
    return chart::number_text(cell.get<double>(), type == CellType::share ? chart::Unit::share : chart::Unit::number);
  const auto text = cell.get<std::string>();
  if (type == CellType::time && text.size() >= 16)
    return text.substr(11, 5) == "00:00" ? text.substr(0, 10) : text.substr(0, 10) + " " + text.substr(11, 5);
  return text.empty() ? "–" : text;
}

std::string label_of(const ReportChart& chart, const ReportTable& table, const std::vector<Json>& row) {
  std::string label;
  for (const auto at : chart.labels) label += (label.empty() ? "" : " · ") + cell_text(row[at], table.columns[at].type);
  return label;
}

std::optional<double> cell_number(const Json& cell) {
  if (!cell.is_number()) return std::nullopt;
  return cell.get<double>();
}

chart::Unit unit_of(const ReportTable& table, std::size_t at) {
  return table.columns[at].type == CellType::share ? chart::Unit::share : chart::Unit::number;
}

/// Of a cell that is a day or a time.
std::int64_t time_ms_of(const Json& cell) {
  const auto time = cell.is_string() ? time_of(cell.get<std::string>(), "time") : Result<std::int64_t>(0);
  return time ? *time : 0;
}

/// In order, and with a point without value where some are missing: a line across would say that there was something.
std::vector<chart::Lines::Point> with_breaks(std::vector<chart::Lines::Point> points) {
  std::ranges::sort(points, {}, &chart::Lines::Point::time_ms);
  auto step = std::numeric_limits<std::int64_t>::max();
  for (std::size_t i = 1; i < points.size(); ++i)
    if (const auto apart = points[i].time_ms - points[i - 1].time_ms; apart > 0) step = std::min(step, apart);
  std::vector<chart::Lines::Point> whole;
  for (const auto& point : points) {
    if (!whole.empty() && point.time_ms - whole.back().time_ms > step)
      whole.push_back({whole.back().time_ms + step, {}});
    whole.push_back(point);
  }
  return whole;
}

chart::Lines lines_of(const ReportChart& chart, const ReportTable& table) {
  std::map<std::string, std::pair<double, std::vector<chart::Lines::Point>>> series;  // Name -> sum, points.
  for (std::size_t i = 0; i < chart.rows; ++i) {
    const auto& row = table.rows[i];
    auto& [sum, points] = series[label_of(chart, table, row)];
    points.push_back({time_ms_of(row[*chart.x]), cell_number(row[chart.value])});
    sum += points.back().value.value_or(0);
  }
  chart::Lines lines{.series = {}, .unit = unit_of(table, chart.value)};
  std::vector<double> sums;
  for (auto& [name, one] : series) {
    one.second = with_breaks(std::move(one.second));
    // The largest ones are drawn.
    const auto at = std::ranges::upper_bound(sums, one.first, std::greater()) - sums.begin();
    sums.insert(sums.begin() + at, one.first);
    lines.series.insert(lines.series.begin() + at, {name, std::move(one.second)});
  }
  return lines;
}

chart::Bars bars_of(const ReportChart& chart, const ReportTable& table) {
  chart::Bars bars{.bars = {}, .unit = unit_of(table, chart.value)};
  for (std::size_t i = 0; i < chart.rows; ++i) {
    const auto& row = table.rows[i];
    chart::Bars::Bar bar{
        .label = label_of(chart, table, row), .value = cell_number(row[chart.value]), .low = {}, .high = {}};
    if (chart.low) bar.low = cell_number(row[*chart.low]);
    if (chart.high) bar.high = cell_number(row[*chart.high]);
    bars.bars.push_back(std::move(bar));
  }
  return bars;
}

constexpr int kGrid = 100;

/// The values of a column in order, each with its text; of a grid all of them.
std::vector<std::pair<Json, std::string>> axis_of(const ReportChart& chart, const ReportTable& table,
                                                  std::size_t column) {
  std::map<Json, std::string> values;
  for (int i = 0; chart.is_grid && i < kGrid; ++i) values.emplace(i, fmt::format("{} %", i));
  for (std::size_t i = 0; !chart.is_grid && i < chart.rows; ++i)
    values.emplace(table.rows[i][column], cell_text(table.rows[i][column], table.columns[column].type));
  return {values.begin(), values.end()};
}

chart::Cells cells_of(const ReportChart& chart, const ReportTable& table) {
  const auto columns = axis_of(chart, table, *chart.x), rows = axis_of(chart, table, chart.labels.front());
  const auto place = [](const auto& axis, const Json& value) {
    const auto it = std::ranges::find_if(axis, [&](const auto& one) { return one.first == value; });
    return static_cast<std::size_t>(it - axis.begin());
  };
  chart::Cells cells{.columns = {}, .rows = {}, .values = {}, .unit = unit_of(table, chart.value)};
  for (const auto& [value, text] : columns) cells.columns.push_back(text);
  for (const auto& [value, text] : rows) cells.rows.push_back(text);
  cells.values.assign(rows.size(), std::vector<std::optional<double>>(columns.size()));
  for (std::size_t i = 0; i < chart.rows; ++i) {
    const auto& row = table.rows[i];
    cells.values[place(rows, row[chart.labels.front()])][place(columns, row[*chart.x])] = cell_number(row[chart.value]);
  }
  return cells;
}

chart::Figures figures_of(const ReportChart&, const ReportTable& table) {
  chart::Figures figures;
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    figures.figures.push_back({table.columns[i].name, cell_text(table.rows.front()[i], table.columns[i].type)});
  return figures;
}

const char* name_of(ChartKind kind) {
  switch (kind) {
    case ChartKind::lines:
      return "lines";
    case ChartKind::bars:
      return "bars";
    case ChartKind::cells:
      return "cells";
    case ChartKind::figures:
      return "figures";
  }
  return "";
}

std::string axis_name(const ReportTable& table, std::size_t at) {
  return table.columns[at].name + (is_time(table.columns[at])                  ? " (UTC)"
                                   : table.columns[at].type == CellType::share ? " (%)"
                                                                               : "");
}

/// For people.
std::string range_text(const Json& report) {
  const auto end = [&](const char* name) {
    return report.at(name).is_string() ? cell_text(report.at(name), CellType::time) : std::string();
  };
  const auto from = end("from"), to = end("to");
  if (from.empty() && to.empty()) return "all time";
  if (from.empty()) return fmt::format("until {} UTC", to);
  if (to.empty()) return fmt::format("since {} UTC", from);
  return fmt::format("{} – {} UTC", from, to);
}

}  // namespace

std::optional<ReportChart> chart_of(std::string_view kind, const Json& report, const ReportTable& table) {
  if (table.rows.empty()) return std::nullopt;
  ReportChart chart;
  if (kind == "ctr") {
    chart = chart_by(report, table, known_column(table, "ctr"));
    chart.low = column(table, "low");
    chart.high = column(table, "high");
  } else if (kind == "metrics") {
    const auto name = report.at("metrics").front().get<std::string>();
    chart = chart_by(report, table, known_column(table, name));
    chart.low = column(table, name + "_low");
    chart.high = column(table, name + "_high");
  } else if (kind == "campaigns") {
    chart = {.kind = ChartKind::lines,
             .labels = {known_column(table, "campaign")},
             .x = known_column(table, "time"),
             .value = known_column(table, "impressions")};
  } else if (kind == "heatmap") {
    chart = heatmap_chart(report, table);
  } else if (kind == "searches") {
    chart = {.labels = {known_column(table, "term")}, .value = known_column(table, "searches")};
  } else if (kind == "paths") {
    chart = {.labels = {known_column(table, "step"), known_column(table, "from"), known_column(table, "to")},
             .value = known_column(table, "sessions")};
  } else if (kind == "retention") {
    chart = {.kind = ChartKind::cells,
             .labels = {known_column(table, "cohort")},
             .x = known_column(table, "interval"),
             .value = known_column(table, "back_share")};
  } else if (kind == "segments") {
    chart = {.labels = {known_column(table, "title")}, .value = known_column(table, "users")};
    chart.rows = report.at("segments").size();
    return chart;
  } else if (column(table, "step")) {
    // The whole funnel stands before its breakdown.
    chart = {.labels = {known_column(table, "step"), known_column(table, "name")},
             .value = known_column(table, "users")};
    chart.rows = report.at("steps").size();
    return chart;
  } else {
    return std::nullopt;
  }
  chart.rows = table.rows.size();
  return chart;
}

Json chart_json(const ReportChart& chart, const ReportTable& table) {
  const auto name = [&](std::optional<std::size_t> at) { return at ? Json(table.columns[*at].name) : Json(nullptr); };
  Json labels = Json::array();
  for (const auto at : chart.labels) labels.push_back(table.columns[at].name);
  return {{"kind", name_of(chart.kind)}, {"labels", std::move(labels)}, {"x", name(chart.x)},
          {"value", name(chart.value)},  {"low", name(chart.low)},      {"high", name(chart.high)},
          {"is_grid", chart.is_grid},    {"rows", chart.rows}};
}

chart::Picture picture_of(const ReportChart& chart, const ReportTable& table) {
  switch (chart.kind) {
    case ChartKind::lines:
      return lines_of(chart, table);
    case ChartKind::cells:
      return cells_of(chart, table);
    case ChartKind::figures:
      return figures_of(chart, table);
    case ChartKind::bars:
      break;
  }
  return bars_of(chart, table);
}

chart::Caption caption_of(const ReportChart& chart, const ReportTable& table, const Json& report,
                          const std::string& title) {
  const auto source = fmt::format("{} · {}", report.value("site", ""), range_text(report));
  chart::Caption caption{.title = title,
                         .subtitle = fmt::format("{} · {}", source, table.columns[chart.value].name),
                         .x_name = {},
                         .y_name = {}};
  std::string labels;
  for (const auto at : chart.labels) labels += (labels.empty() ? "" : " · ") + axis_name(table, at);
  if (chart.kind == ChartKind::lines) {
    caption.x_name = axis_name(table, *chart.x);
    caption.y_name = axis_name(table, chart.value);
  } else if (chart.kind == ChartKind::bars) {
    caption.x_name = axis_name(table, chart.value);
    caption.y_name = labels;
  } else if (chart.is_grid) {
    caption.x_name = "from left to right";
    caption.y_name = "from top to bottom";
  } else if (chart.kind == ChartKind::cells) {
    // A report of positions has them where one of cells has x.
    caption.x_name = table.columns[*chart.x].name == "x" ? "position" : axis_name(table, *chart.x);
    caption.y_name = labels;
  } else {
    caption.subtitle = source;
  }
  return caption;
}

}  // namespace marquee::api
