// What picture a report's table makes: of which columns, and drawn.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "marquee/chart/chart.h"
#include "report_table.h"

namespace marquee::api {

enum class ChartKind { lines, bars, cells, figures };

/// Columns by their place in the table.
struct ReportChart {
  ChartKind kind = ChartKind::bars;
  std::vector<std::size_t> labels = {};  ///< What lines, bars and rows of cells are named by.
  std::optional<std::size_t> x = {};     ///< Of lines the time, of cells the column.
  std::size_t value = 0;
  std::optional<std::size_t> low = {}, high = {};  ///< The value's interval.
  bool is_grid = false;                            ///< Of cells: both axes are 0 to 99, hundredths of the slot or page.
  std::size_t rows = 0;                            ///< The first ones of the table, of which it is drawn.
};

/// nullopt where the table makes none: a list of users, say, or no row.
[[nodiscard]] std::optional<ReportChart> chart_of(std::string_view kind, const Json& report, const ReportTable& table);

/// {"kind","labels","x","value","low","high","is_grid","rows"}, columns by name.
[[nodiscard]] Json chart_json(const ReportChart& chart, const ReportTable& table);

[[nodiscard]] chart::Picture picture_of(const ReportChart& chart, const ReportTable& table);
/// `title`: of the picture; what it was asked for stands below it.
[[nodiscard]] chart::Caption caption_of(const ReportChart& chart, const ReportTable& table, const Json& report,
                                        const std::string& title);

}  // namespace marquee::api
