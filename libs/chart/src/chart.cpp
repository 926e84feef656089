#include "marquee/chart/chart.h"

#include <algorithm>

#include "frame.h"

namespace marquee::chart {

void draw_head(Canvas& canvas, const Caption& caption) {
  const double most = canvas.width() - 2 * kMargin;
  canvas.text(kMargin, 44, caption.title, {.size = 22, .color = kText, .is_bold = true}, most);
  canvas.text(kMargin, 70, caption.subtitle, {.size = 14, .color = kMuted}, most);
}

void draw_axis_names(Canvas& canvas, const Box& plot, const Caption& caption) {
  const TextStyle style = {.size = 13, .color = kMuted, .side = Side::middle};
  canvas.text((plot.left + plot.right) / 2, plot.bottom + 46, caption.x_name, style, plot.width());
  canvas.upright_text(kMargin - 8, (plot.top + plot.bottom) / 2, caption.y_name, style, plot.height());
}

double widest(Canvas& canvas, const std::vector<Tick>& ticks, const TextStyle& style) {
  double most = 0;
  for (const auto& tick : ticks) most = std::max(most, canvas.text_width(tick.text, style));
  return most;
}

Result<std::string> draw(const Caption& caption, const Figures& figures) {
  constexpr double kColumn = 284, kRow = 110;
  const auto count = std::min(figures.figures.size(), Figures::kMost);
  const auto rows = std::max<std::size_t>(1, (count + 3) / 4);
  Canvas canvas(kWidth, static_cast<int>(kHead + kRow * static_cast<double>(rows) + kMargin));
  draw_head(canvas, caption);
  for (std::size_t i = 0; i < count; ++i) {
    const double x = kMargin + kColumn * static_cast<double>(i % 4), y = kHead + kRow * static_cast<double>(i / 4);
    canvas.text(x, y + 34, figures.figures[i].name, {.size = 15, .color = kMuted}, kColumn - 16);
    canvas.text(x, y + 78, figures.figures[i].value, {.size = 36, .color = kText, .is_bold = true}, kColumn - 16);
  }
  return canvas.png();
}

Result<std::string> png(const Caption& caption, const Picture& picture) {
  return std::visit([&](const auto& one) { return draw(caption, one); }, picture);
}

}  // namespace marquee::chart
