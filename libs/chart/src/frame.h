// What every picture has around it: title, axes, legend.
#pragma once

#include <vector>

#include "axis.h"
#include "canvas.h"
#include "marquee/chart/chart.h"

namespace marquee::chart {

inline constexpr int kWidth = 1200;
inline constexpr double kMargin = 32;
inline constexpr double kHead = 92;  ///< Below title and subtitle.

void draw_head(Canvas& canvas, const Caption& caption);
/// The names of both axes; that of x below `plot`, that of y at the canvas's left edge.
void draw_axis_names(Canvas& canvas, const Box& plot, const Caption& caption);

/// From values to places, in a direction.
struct Scale {
  double low = 0, high = 1, begin = 0, end = 1;
  [[nodiscard]] double operator()(double value) const {
    return begin + (high == low ? 0.5 : (value - low) / (high - low)) * (end - begin);
  }
};

[[nodiscard]] double widest(Canvas& canvas, const std::vector<Tick>& ticks, const TextStyle& style);

inline constexpr TextStyle kTickText = {.size = 13, .color = kFaint};

Result<std::string> draw(const Caption& caption, const Lines& lines);
Result<std::string> draw(const Caption& caption, const Bars& bars);
Result<std::string> draw(const Caption& caption, const Cells& cells);
Result<std::string> draw(const Caption& caption, const Figures& figures);

}  // namespace marquee::chart
