// Tables and spans of time on a terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace marquee::app {

using Row = std::vector<std::string>;

/// Prints rows of one length, the header first. `sides` has 'l' or 'r' for each column; without it each cell stands
/// where its kind does: numbers to the right.
void print_table(const std::vector<Row>& rows, std::string_view sides = {});

/// "0.4 s", "12 s", "3 min 20 s", "5 h 2 min", "2 d 4 h"
[[nodiscard]] std::string span_text(double seconds);

}  // namespace marquee::app
