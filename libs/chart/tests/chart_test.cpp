#include "marquee/chart/chart.h"

#include <gtest/gtest.h>

#include <cmath>

#include "canvas.h"

namespace marquee::chart {
namespace {

struct Size {
  unsigned width = 0, height = 0;
};

/// Of the header (PNG specification, 11.2.2).
Size size_of(const std::string& png) {
  EXPECT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1a\n");
  const auto number = [&](std::size_t at) {
    unsigned value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(png.at(at + i));
    return value;
  };
  return {number(16), number(20)};
}

std::string drawn(const Picture& picture) {
  const auto bytes = png({.title = "T", .subtitle = "S", .x_name = "x", .y_name = "y"}, picture);
  EXPECT_TRUE(bytes);
  return bytes ? *bytes : "";
}

TEST(Chart, grows_with_its_bars) {
  Bars bars;
  for (int i = 0; i < 4; ++i) bars.bars.push_back({"bar", i / 10.0, {}, {}});
  const auto few = size_of(drawn(bars));
  for (int i = 0; i < 100; ++i) bars.bars.push_back({"bar", 0.5, 0.4, 0.6});
  const auto many = size_of(drawn(bars));
  EXPECT_EQ(few.width, 1200U);
  EXPECT_EQ(many.height - few.height, 32 * (Bars::kMost - 4));
}

TEST(Chart, shows_its_values) {
  const auto of = [](double value) { return drawn(Lines{{{"a", {{0, 1.0}, {3'600'000, value}}}}, Unit::number}); };
  EXPECT_EQ(of(2), of(2));
  EXPECT_NE(of(2), of(1.5));
}

TEST(Chart, draws_what_has_no_values_or_odd_ones) {
  const double nan = std::nan("");
  EXPECT_EQ(size_of(drawn(Lines{})).width, 1200U);
  drawn(Lines{{{"a", {{0, {}}, {1, nan}, {2, INFINITY}, {2, 1.0}}}, {"", {}}}, Unit::share});
  drawn(Bars{});
  for (const char* text : {"\xff", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc3", "\xf0\x9f"})
    drawn(Bars{{{text, 1.0, {}, {}}}, Unit::number});
  drawn(Bars{{{"\n\x7f", nan, {}, {}}, {std::string(5000, 'x'), 1e300, 0.0, 1e301}, {"", {}, {}, {}}}, Unit::share});
  drawn(Cells{});
  drawn(Cells{{"a"}, {"b", "c"}, {{nan}, {{}}}, Unit::share});
  drawn(Figures{});
}

TEST(Canvas, has_the_letters_of_the_languages_of_india) {
  Canvas canvas(100, 100);
  for (const char* name : {"Zürich – ★", "विधि महाविद्यालय", "আইন", "சட்டக் கல்லூரி", "న్యాయ", "ಕಾನೂನು", "നിയമം", "કાયદો",
                           "ਕਾਨੂੰਨ", "ଆଇନ", "قانون"}) {
    EXPECT_EQ(canvas.letters_without_font(name), 0) << name;
  }
  EXPECT_NE(canvas.letters_without_font("\U000F0000"), 0);  // Of a private area: nobody's.
}

TEST(Canvas, cuts_text_that_does_not_fit_between_letters) {
  Canvas canvas(100, 100);
  EXPECT_GT(canvas.text_width("Zürich", {}), canvas.text_width("Zür", {}));
  canvas.text(0, 20, "大学大学大学大学大学", {}, 40);
  EXPECT_TRUE(canvas.png());
}

}  // namespace
}  // namespace marquee::chart
