// cairo and Pango, as the pictures use them: lines, boxes, text that fits.
#pragma once

#include <pango/pangocairo.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "marquee/base/result.h"

namespace marquee::chart {

/// 0xRRGGBB.
using Color = std::uint32_t;

// The console's light theme (web/console/src/styles/tokens.css).
inline constexpr Color kSurface = 0xffffff, kText = 0x14181f, kMuted = 0x525b6b, kFaint = 0x667082, kLine = 0xe4e7ec,
                       kStrongLine = 0xc9cfd9;
inline constexpr Color kSeries[] = {0x2f5bd0, 0xc87900, 0x0c8a78, 0xbd3b78, 0x6f56cf, 0x5b8a1a, 0xb35028, 0x5d6b80};
inline constexpr Color kHeat[] = {0xedf2fc, 0xc3d4f7, 0x87a8ee, 0x4a74db, 0x2449ad, 0x13296b};

struct Box {
  double left = 0, top = 0, right = 0, bottom = 0;
  [[nodiscard]] double width() const { return right - left; }
  [[nodiscard]] double height() const { return bottom - top; }
};

enum class Side { begin, middle, end };

struct TextStyle {
  double size = 14;
  Color color = kMuted;
  bool is_bold = false;
  Side side = Side::begin;  ///< Of the text that stands at the given place.
};

class Canvas {
 public:
  Canvas(int width, int height);

  [[nodiscard]] double width() const { return width_; }
  [[nodiscard]] double height() const { return height_; }

  void fill(const Box& box, Color color);
  void line(double x1, double y1, double x2, double y2, Color color, double thickness = 1);
  void dot(double x, double y, double radius, Color color);
  /// One through points; `move` begins, `draw` goes on, `stroke` ends.
  void move(double x, double y) { cairo_move_to(context_.get(), x, y); }
  void draw(double x, double y) { cairo_line_to(context_.get(), x, y); }
  void stroke(Color color, double thickness);

  [[nodiscard]] double text_width(std::string_view text, const TextStyle& style);
  /// `y` is the base line. Cut to `most` pixels.
  void text(double x, double y, std::string_view text, const TextStyle& style, double most = 1e9);
  /// From the bottom up, in the middle of `y`.
  void upright_text(double x, double y, std::string_view text, const TextStyle& style, double most);

  /// How many letters no font of this machine has: they are drawn as boxes.
  [[nodiscard]] int letters_without_font(std::string_view text);

  [[nodiscard]] Result<std::string> png() const;

 private:
  using Layout = std::unique_ptr<PangoLayout, decltype(&g_object_unref)>;
  [[nodiscard]] Layout layout(std::string_view text, const TextStyle& style);
  [[nodiscard]] static double width_of(const Layout& layout);
  void use(Color color);

  double width_, height_;
  std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)> surface_;
  std::unique_ptr<cairo_t, decltype(&cairo_destroy)> context_;
};

}  // namespace marquee::chart
