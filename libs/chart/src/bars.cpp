#include <algorithm>
#include <cmath>

#include "frame.h"

namespace marquee::chart {
namespace {

constexpr double kBarRow = 32;
constexpr double kMostBarLabel = 320;

/// The largest end of a bar or its interval.
double reach_of(const Bars::Bar& bar) { return std::max(bar.value.value_or(0), bar.high.value_or(0)); }

void draw_bar(Canvas& canvas, const Bars::Bar& bar, const Scale& x, double top, Unit unit) {
  const double middle = top + kBarRow / 2, zero = x(0);
  if (!bar.value || !std::isfinite(*bar.value)) {
    canvas.text(zero + 8, middle + 5, "–", {.size = 13, .color = kFaint});
    return;
  }
  const double end = x(*bar.value);
  canvas.fill({std::min(zero, end), top + 6, std::max(zero, end), top + kBarRow - 6}, kSeries[0]);
  double text_at = std::max(zero, end);
  if (bar.low && bar.high) {
    canvas.line(x(*bar.low), middle, x(*bar.high), middle, kText, 1.5);
    for (const double at : {*bar.low, *bar.high}) canvas.line(x(at), middle - 4, x(at), middle + 4, kText, 1.5);
    text_at = std::max(text_at, x(*bar.high));
  }
  canvas.text(text_at + 8, middle + 5, number_text(*bar.value, unit), {.size = 13, .color = kText});
}

}  // namespace

Result<std::string> draw(const Caption& caption, const Bars& bars) {
  const auto count = std::min(bars.bars.size(), Bars::kMost);
  Canvas canvas(kWidth, static_cast<int>(kHead + kBarRow * static_cast<double>(std::max<std::size_t>(count, 1)) + 80));
  draw_head(canvas, caption);
  double label = 0, low = 0, high = 0;
  const TextStyle style = {.size = 14, .color = kText, .side = Side::end};
  for (std::size_t i = 0; i < count; ++i) {
    label = std::max(label, std::min(kMostBarLabel, canvas.text_width(bars.bars[i].label, style)));
    low = std::min(low, bars.bars[i].value.value_or(0));
    high = std::max(high, reach_of(bars.bars[i]));
  }
  const auto values = value_ticks(low, high, bars.unit);
  const Box plot{kMargin + 28 + label, kHead, kWidth - kMargin - 90, canvas.height() - 72};
  const Scale x{values.front().at, values.back().at, plot.left, plot.right};
  for (const auto& tick : values) {
    canvas.line(x(tick.at), plot.top, x(tick.at), plot.bottom, kLine);
    canvas.text(x(tick.at), plot.bottom + 22, tick.text, {.size = 13, .color = kFaint, .side = Side::middle});
  }
  canvas.line(x(0), plot.top, x(0), plot.bottom, kStrongLine);
  for (std::size_t i = 0; i < count; ++i) {
    const double top = plot.top + kBarRow * static_cast<double>(i);
    canvas.text(plot.left - 12, top + kBarRow / 2 + 5, bars.bars[i].label, style, kMostBarLabel);
    draw_bar(canvas, bars.bars[i], x, top, bars.unit);
  }
  draw_axis_names(canvas, plot, caption);
  return canvas.png();
}

}  // namespace marquee::chart
