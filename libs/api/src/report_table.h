// A report as one table of typed columns: what CSV, Parquet and pictures are made of.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "answers.h"

namespace marquee::api {

enum class CellType { text, count, real, share, truth, day, time };

struct ReportColumn {
  std::string name;
  CellType type = CellType::text;
};
/// Cells are JSON as the report has them: text (also days and times), numbers, true or false; null where there is no
/// value.
struct ReportTable {
  std::vector<ReportColumn> columns;
  std::vector<std::vector<Json>> rows;
};

/// "text", "count", ...: as the API tells it.
[[nodiscard]] std::string_view name_of(CellType type);
/// Of a dimension's values.
[[nodiscard]] CellType key_cell_type(std::string_view dimension);
/// Of the answer of /v1/reports/<kind>. A table by dimensions has its rows, without the total, or only that where there
/// is no dimension. A funnel that tells who dropped out is their keys.
[[nodiscard]] ReportTable report_table(std::string_view kind, const Json& report);

}  // namespace marquee::api
