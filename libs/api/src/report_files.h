// Reports as files: the formats that a report can be asked for besides JSON.
#pragma once

#include <string>
#include <string_view>

#include "answers.h"
#include "marquee/clickhouse/client.h"

namespace marquee::api {

enum class ReportFormat { json, table, csv, parquet, png };

/// Of the parameter `format`, or else of Accept (RFC 9110, section 12.5.1); JSON where neither says another.
[[nodiscard]] Result<ReportFormat> wanted_format(const http::Request& request);

/// A report's answer in that format. `title`: of the file, without its ending.
/// Parquet is written by the store: blocks while it does. 422 where a picture is asked of what makes none.
[[nodiscard]] http::Response report_file(std::string_view kind, const Json& report, ReportFormat format,
                                         const std::string& title, clickhouse::Client& store);

/// "ctr-campus-2026-01-01-2026-02-01"
[[nodiscard]] std::string report_title(std::string_view kind, const Json& report);

}  // namespace marquee::api
