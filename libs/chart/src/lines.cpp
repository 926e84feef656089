#include <algorithm>
#include <cmath>
#include <limits>

#include "frame.h"

namespace marquee::chart {
namespace {

constexpr int kHeight = 675;

struct Extent {
  double low = 0, high = 0;
  std::int64_t from_ms = std::numeric_limits<std::int64_t>::max(), to_ms = std::numeric_limits<std::int64_t>::min();
};

Extent extent_of(const Lines& lines, std::size_t count) {
  Extent extent;
  for (std::size_t i = 0; i < count; ++i) {
    for (const auto& point : lines.series[i].points) {
      extent.from_ms = std::min(extent.from_ms, point.time_ms);
      extent.to_ms = std::max(extent.to_ms, point.time_ms);
      if (!point.value || !std::isfinite(*point.value)) continue;
      extent.low = std::min(extent.low, *point.value);
      extent.high = std::max(extent.high, *point.value);
    }
  }
  if (extent.from_ms > extent.to_ms) extent.from_ms = extent.to_ms = 0;
  return extent;
}

/// Gives its height.
double draw_legend(Canvas& canvas, const Lines& lines, std::size_t count) {
  if (count < 2) return 0;
  constexpr double kRow = 24, kMost = 240;
  const TextStyle style = {.size = 13, .color = kMuted};
  double x = kMargin, y = kHead + 14;
  for (std::size_t i = 0; i < count; ++i) {
    const double wide = std::min(kMost, canvas.text_width(lines.series[i].name, style)) + 44;
    if (x + wide > canvas.width() - kMargin) {
      x = kMargin;
      y += kRow;
    }
    canvas.line(x, y - 4, x + 16, y - 4, kSeries[i], 3);
    canvas.text(x + 22, y, lines.series[i].name, style, kMost);
    x += wide;
  }
  return y - kHead + 12;
}

void draw_line(Canvas& canvas, const std::vector<Lines::Point>& points, const Scale& x, const Scale& y, Color color) {
  const auto has_value = [](const Lines::Point& point) { return point.value && std::isfinite(*point.value); };
  bool is_drawing = false;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (!has_value(points[i])) {
      is_drawing = false;
      continue;
    }
    const double px = x(static_cast<double>(points[i].time_ms)), py = y(*points[i].value);
    const bool goes_on = i + 1 < points.size() && has_value(points[i + 1]);
    // What has no neighbour would be no line.
    if (!is_drawing && !goes_on) canvas.dot(px, py, 4, color);
    if (is_drawing)
      canvas.draw(px, py);
    else if (goes_on)
      canvas.move(px, py);
    if (is_drawing && !goes_on) canvas.stroke(color, 2.5);
    is_drawing = goes_on;
  }
}

}  // namespace

Result<std::string> draw(const Caption& caption, const Lines& lines) {
  Canvas canvas(kWidth, kHeight);
  draw_head(canvas, caption);
  const auto count = std::min(lines.series.size(), Lines::kMost);
  const double legend = draw_legend(canvas, lines, count);
  const auto extent = extent_of(lines, count);
  const auto values = value_ticks(extent.low, extent.high, lines.unit);
  const Box plot{kMargin + 16 + widest(canvas, values, kTickText), kHead + legend + 8, kWidth - kMargin - 16,
                 kHeight - 72.0};
  const Scale y{values.front().at, values.back().at, plot.bottom, plot.top};
  const Scale x{static_cast<double>(extent.from_ms), static_cast<double>(extent.to_ms), plot.left, plot.right};
  for (const auto& tick : values) {
    canvas.line(plot.left, y(tick.at), plot.right, y(tick.at), kLine);
    canvas.text(plot.left - 10, y(tick.at) + 5, tick.text, {.size = 13, .color = kFaint, .side = Side::end});
  }
  canvas.line(plot.left, y(0), plot.right, y(0), kStrongLine);
  for (const auto& tick : time_ticks(extent.from_ms, extent.to_ms, 12)) {
    canvas.line(x(tick.at), plot.bottom, x(tick.at), plot.bottom + 5, kStrongLine);
    canvas.text(x(tick.at), plot.bottom + 22, tick.text, {.size = 13, .color = kFaint, .side = Side::middle});
  }
  draw_axis_names(canvas, plot, caption);
  for (std::size_t i = 0; i < count; ++i) draw_line(canvas, lines.series[i].points, x, y, kSeries[i]);
  return canvas.png();
}

}  // namespace marquee::chart
