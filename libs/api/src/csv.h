// Reports as CSV for people's spreadsheets and other programs.
#pragma once

#include <string>

#include "report_table.h"

namespace marquee::api {

/// RFC 4180 with a header: lines end in CR LF; cells with separators, quotes or line breaks are quoted. UTF-8; bytes
/// that are none become U+FFFD. Null is an empty cell, an empty text is "".
///
/// A text that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV Injection): what stands
/// in a report came from whoever sent events.
[[nodiscard]] std::string csv_of(const ReportTable& table);

}  // namespace marquee::api
