#include <algorithm>
#include <cmath>

#include "frame.h"

namespace marquee::chart {
namespace {

constexpr double kMostCellLabel = 220;
constexpr double kScaleWide = 110;  ///< Of the colours' explanation, on the right.

Color mixed(Color a, Color b, double share) {
  Color result = 0;
  for (const int shift : {16, 8, 0}) {
    const double one = (a >> shift) & 0xff, other = (b >> shift) & 0xff;
    result |= static_cast<Color>(std::lround(one + (other - one) * share)) << shift;
  }
  return result;
}

/// `share` in [0, 1].
Color heat(double share) {
  constexpr auto kLast = std::size(kHeat) - 1;
  const double at = std::clamp(share, 0.0, 1.0) * static_cast<double>(kLast);
  const auto below = std::min(static_cast<std::size_t>(at), kLast - 1);
  return mixed(kHeat[below], kHeat[below + 1], at - static_cast<double>(below));
}

double most_of(const Cells& cells) {
  double most = 0;
  for (const auto& row : cells.values)
    for (const auto& value : row)
      if (value && std::isfinite(*value)) most = std::max(most, *value);
  return most;
}

void draw_scale(Canvas& canvas, const Box& plot, double most, Unit unit) {
  const double left = plot.right + 28, bottom = std::min(plot.bottom, plot.top + 240);
  constexpr int kParts = 60;
  const double part = (bottom - plot.top) / kParts;
  for (int i = 0; i < kParts; ++i) {
    const double y = bottom - part * (i + 1);
    canvas.fill({left, y, left + 16, y + part + 0.5}, heat((i + 0.5) / kParts));
  }
  canvas.text(left + 24, plot.top + 10, number_text(most, unit), kTickText);
  canvas.text(left + 24, bottom, "0", kTickText);
}

/// As many labels as fit, at even steps.
std::size_t step_of(std::size_t count, double room, double needed) {
  std::size_t step = 1;
  while (static_cast<double>(step) * room / static_cast<double>(std::max<std::size_t>(count, 1)) < needed) ++step;
  return step;
}

void draw_labels(Canvas& canvas, const Cells& cells, const Box& plot, double wide, double high) {
  const auto row_step = step_of(cells.rows.size(), plot.height(), 18);
  for (std::size_t i = 0; i < cells.rows.size(); i += row_step)
    canvas.text(plot.left - 10, plot.top + high * (static_cast<double>(i) + 0.5) + 5, cells.rows[i],
                {.size = 13, .color = kText, .side = Side::end}, kMostCellLabel);
  double label = 0;
  for (const auto& column : cells.columns) label = std::max(label, canvas.text_width(column, kTickText));
  const auto column_step = step_of(cells.columns.size(), plot.width(), std::min(label, 120.0) + 12);
  for (std::size_t i = 0; i < cells.columns.size(); i += column_step)
    canvas.text(plot.left + wide * (static_cast<double>(i) + 0.5), plot.bottom + 22, cells.columns[i],
                {.size = 13, .color = kFaint, .side = Side::middle}, wide * static_cast<double>(column_step));
}

}  // namespace

Result<std::string> draw(const Caption& caption, const Cells& cells) {
  const auto rows = std::max<std::size_t>(cells.rows.size(), 1),
             columns = std::max<std::size_t>(cells.columns.size(), 1);
  const double row_height = std::clamp(560.0 / static_cast<double>(rows), 6.0, 44.0);
  Canvas canvas(kWidth, static_cast<int>(kHead + row_height * static_cast<double>(rows) + 80));
  draw_head(canvas, caption);
  double label = 0;
  for (const auto& row : cells.rows)
    label = std::max(label, std::min(kMostCellLabel, canvas.text_width(row, kTickText)));
  const Box plot{kMargin + 26 + label, kHead, kWidth - kMargin - kScaleWide, canvas.height() - 72};
  const double wide = plot.width() / static_cast<double>(columns), high = plot.height() / static_cast<double>(rows);
  const double most = most_of(cells), gap = std::min(wide, high) > 12 ? 1 : 0;
  for (std::size_t y = 0; y < cells.values.size(); ++y) {
    for (std::size_t x = 0; x < cells.values[y].size(); ++x) {
      const auto& value = cells.values[y][x];
      if (!value || !std::isfinite(*value)) continue;
      const double left = plot.left + wide * static_cast<double>(x), top = plot.top + high * static_cast<double>(y);
      const double share = most == 0 ? 0 : *value / most;
      canvas.fill({left + gap, top + gap, left + wide - gap, top + high - gap}, heat(share));
      const TextStyle style = {.size = 13, .color = share > 0.5 ? kSurface : kText, .side = Side::middle};
      const auto text = number_text(*value, cells.unit);
      if (high >= 22 && canvas.text_width(text, style) + 8 <= wide)
        canvas.text(left + wide / 2, top + high / 2 + 5, text, style);
    }
  }
  canvas.line(plot.left, plot.bottom, plot.right, plot.bottom, kStrongLine);
  canvas.line(plot.left, plot.top, plot.left, plot.bottom, kStrongLine);
  draw_labels(canvas, cells, plot, wide, high);
  draw_scale(canvas, plot, most, cells.unit);
  draw_axis_names(canvas, plot, caption);
  return canvas.png();
}

}  // namespace marquee::chart
