#include "text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace marquee::app {
namespace {

/// As people see it: code points, not bytes.
std::size_t width(const std::string& cell) {
  return static_cast<std::size_t>(
      std::ranges::count_if(cell, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool is_number(const std::string& cell) {
  return !cell.empty() && cell.find_first_not_of("0123456789.% ") == std::string::npos;
}

std::string two(std::int64_t large, const char* large_name, std::int64_t small, const char* small_name) {
  return small == 0 ? fmt::format("{} {}", large, large_name)
                    : fmt::format("{} {} {} {}", large, large_name, small, small_name);
}

}  // namespace

void print_table(const std::vector<Row>& rows, std::string_view sides) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string pad(widths[i] - width(row[i]), ' ');
      const bool is_right = sides.empty() ? is_number(row[i]) : sides[i] == 'r';
      line += (is_right ? pad + row[i] : row[i] + pad) + "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    fmt::print("{}\n", line);
  }
}

std::string span_text(double seconds) {
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3'600) return two(whole / 60, "min", whole % 60, "s");
  if (whole < 86'400) return two(whole / 3'600, "h", whole % 3'600 / 60, "min");
  return two(whole / 86'400, "d", whole % 86'400 / 3'600, "h");
}

}  // namespace marquee::app
