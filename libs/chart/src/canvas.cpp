#include "canvas.h"

#include <fmt/format.h>

#include <algorithm>
#include <numbers>

namespace marquee::chart {
namespace {

constexpr const char* kFont = "DejaVu Sans";  // Of letters that it lacks, fontconfig knows another that has them.

cairo_status_t append(void* out, const unsigned char* bytes, unsigned size) {
  static_cast<std::string*>(out)->append(reinterpret_cast<const char*>(bytes), size);
  return CAIRO_STATUS_SUCCESS;
}

/// Control characters, line ends among them, are spaces here, and what is no UTF-8 a replacement character.
std::string one_line(std::string_view text) {
  const std::unique_ptr<char, decltype(&g_free)> valid(g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())),
                                                       &g_free);
  std::string line = valid.get();
  std::ranges::replace_if(line, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return line;
}

double in_pixels(int pango_units) { return static_cast<double>(pango_units) / PANGO_SCALE; }

}  // namespace

Canvas::Canvas(int width, int height)
    : width_(width),
      height_(height),
      surface_(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height), &cairo_surface_destroy),
      context_(cairo_create(surface_.get()), &cairo_destroy) {
  fill({0, 0, width_, height_}, kSurface);
  cairo_set_line_join(context_.get(), CAIRO_LINE_JOIN_ROUND);
}

void Canvas::use(Color color) {
  cairo_set_source_rgb(context_.get(), ((color >> 16) & 0xff) / 255.0, ((color >> 8) & 0xff) / 255.0,
                       (color & 0xff) / 255.0);
}

void Canvas::fill(const Box& box, Color color) {
  use(color);
  cairo_rectangle(context_.get(), box.left, box.top, box.width(), box.height());
  cairo_fill(context_.get());
}

void Canvas::line(double x1, double y1, double x2, double y2, Color color, double thickness) {
  move(x1, y1);
  draw(x2, y2);
  stroke(color, thickness);
}

void Canvas::dot(double x, double y, double radius, Color color) {
  use(color);
  cairo_arc(context_.get(), x, y, radius, 0, 2 * std::numbers::pi);
  cairo_fill(context_.get());
}

void Canvas::stroke(Color color, double thickness) {
  use(color);
  cairo_set_line_width(context_.get(), thickness);
  cairo_stroke(context_.get());
}

Canvas::Layout Canvas::layout(std::string_view text, const TextStyle& style) {
  Layout layout(pango_cairo_create_layout(context_.get()), &g_object_unref);
  const std::unique_ptr<PangoFontDescription, decltype(&pango_font_description_free)> font(
      pango_font_description_new(), &pango_font_description_free);
  pango_font_description_set_family_static(font.get(), kFont);
  pango_font_description_set_weight(font.get(), style.is_bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
  pango_font_description_set_absolute_size(font.get(), style.size * PANGO_SCALE);
  pango_layout_set_font_description(layout.get(), font.get());
  pango_layout_set_single_paragraph_mode(layout.get(), 1);
  pango_layout_set_auto_dir(layout.get(), 0);  // A place is of the picture, whichever way its text is written.
  const auto line = one_line(text);
  pango_layout_set_text(layout.get(), line.data(), static_cast<int>(line.size()));
  return layout;
}

double Canvas::width_of(const Layout& layout) {
  int width = 0;
  pango_layout_get_size(layout.get(), &width, nullptr);
  return in_pixels(width);
}

double Canvas::text_width(std::string_view text, const TextStyle& style) { return width_of(layout(text, style)); }

int Canvas::letters_without_font(std::string_view text) {
  return pango_layout_get_unknown_glyphs_count(layout(text, {}).get());
}

void Canvas::text(double x, double y, std::string_view text, const TextStyle& style, double most) {
  const auto layout = this->layout(text, style);
  if (width_of(layout) > most) {
    pango_layout_set_width(layout.get(), static_cast<int>(most * PANGO_SCALE));
    pango_layout_set_ellipsize(layout.get(), PANGO_ELLIPSIZE_END);
  }
  const double wide = width_of(layout);
  use(style.color);
  cairo_move_to(context_.get(),
                style.side == Side::begin    ? x
                : style.side == Side::middle ? x - wide / 2
                                             : x - wide,
                y - in_pixels(pango_layout_get_baseline(layout.get())));
  pango_cairo_show_layout(context_.get(), layout.get());
  cairo_new_path(context_.get());
}

void Canvas::upright_text(double x, double y, std::string_view text, const TextStyle& style, double most) {
  cairo_save(context_.get());
  cairo_translate(context_.get(), x, y);
  cairo_rotate(context_.get(), -std::numbers::pi / 2);
  this->text(0, 0, text, style, most);
  cairo_restore(context_.get());
}

Result<std::string> Canvas::png() const {
  std::string bytes;
  cairo_status_t status = cairo_status(context_.get());
  if (status == CAIRO_STATUS_SUCCESS) status = cairo_surface_write_to_png_stream(surface_.get(), append, &bytes);
  if (status != CAIRO_STATUS_SUCCESS)
    return Error::give_up(fmt::format("the picture could not be drawn: {}", cairo_status_to_string(status)));
  return bytes;
}

}  // namespace marquee::chart
