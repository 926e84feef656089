// Pictures of reports, drawn on the server: PNG, light, for whatever cannot run the console (a message, a slide, a
// mail).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "marquee/base/result.h"

namespace marquee::chart {

enum class Unit {
  number,
  share,  ///< Of one; told as per cent.
};

/// What stands around a picture. Texts are UTF-8; those that do not fit end in "…".
struct Caption {
  std::string title, subtitle;
  std::string x_name, y_name;  ///< Of the axes; with a unit, if they have one.
};

/// Values over time.
struct Lines {
  struct Point {
    std::int64_t time_ms = 0;     ///< Since the Unix epoch; axes are in UTC.
    std::optional<double> value;  ///< Without one the line is broken.
  };
  struct Series {
    std::string name;  ///< Told in a legend where there is more than one series.
    std::vector<Point> points;
  };
  static constexpr std::size_t kMost = 8;
  std::vector<Series> series;  ///< The first kMost are drawn.
  Unit unit = Unit::number;
};

/// A value each, longest labels cut. From the top down.
struct Bars {
  struct Bar {
    std::string label;
    std::optional<double> value;
    std::optional<double> low, high;  ///< Ends of an interval; drawn where there are both.
  };
  static constexpr std::size_t kMost = 30;
  std::vector<Bar> bars;  ///< The first kMost are drawn.
  Unit unit = Unit::number;
};

/// A table of values as colours.
struct Cells {
  std::vector<std::string> columns, rows;
  std::vector<std::vector<std::optional<double>>> values;  ///< By row, then column.
  Unit unit = Unit::number;
};

/// Single numbers, as words.
struct Figures {
  struct Figure {
    std::string name, value;
  };
  static constexpr std::size_t kMost = 10;
  std::vector<Figure> figures;  ///< The first kMost are drawn.
};

using Picture = std::variant<Lines, Bars, Cells, Figures>;

/// 1200 pixels wide. Thread safe. Action::give_up where the picture cannot be drawn (memory).
[[nodiscard]] Result<std::string> png(const Caption& caption, const Picture& picture);

/// A number as an axis or a figure tells it: "12,345", "1.25", "3.4 %".
[[nodiscard]] std::string number_text(double value, Unit unit);

}  // namespace marquee::chart
