#include "canvas.h"

#include <fmt/format.h>

#include <algorithm>
#include <numbers>

namespace marquee::chart {
namespace {

constexpr const char* kFont = "DejaVu Sans";

cairo_status_t append(void* out, const unsigned char* bytes, unsigned size) {
  static_cast<std::string*>(out)->append(reinterpret_cast<const char*>(bytes), size);
  return CAIRO_STATUS_SUCCESS;
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// Bytes of the letter that the text begins with (UTF-8, RFC 3629); 0 where it begins with none.
std::size_t letter_size(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t size = first < 0x80   ? 1
                           : first < 0xc2 ? 0
                           : first < 0xe0 ? 2
                           : first < 0xf0 ? 3
                           : first < 0xf5 ? 4
                                          : 0;
  if (size > text.size()) return 0;
  if (size > 1) {
    // Not longer than needed, no half of a pair, nothing beyond U+10FFFF.
    const auto second = static_cast<unsigned char>(text[1]);
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second >= 0xa0) || (first == 0xf0 && second < 0x90) ||
        (first == 0xf4 && second >= 0x90))
      return 0;
  }
  for (std::size_t i = 1; i < size; ++i)
    if (!is_continuation(text[i])) return 0;
  return size;
}

/// Without its last letter.
std::string_view shortened(std::string_view text) {
  while (!text.empty() && is_continuation(text.back())) text.remove_suffix(1);
  if (!text.empty()) text.remove_suffix(1);
  return text;
}

/// Control characters, line ends among them, are spaces here, and what is no UTF-8 is a question mark: cairo draws
/// nothing more after a text that it cannot read.
std::string one_line(std::string_view text) {
  std::string line;
  while (!text.empty()) {
    const auto size = letter_size(text);
    const auto first = static_cast<unsigned char>(text.front());
    if (size == 0)
      line += '?';
    else if (first < 0x20 || first == 0x7f)
      line += ' ';
    else
      line += text.substr(0, size);
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return line;
}

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

void Canvas::use(const TextStyle& style) {
  use(style.color);
  cairo_select_font_face(context_.get(), kFont, CAIRO_FONT_SLANT_NORMAL,
                         style.is_bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(context_.get(), style.size);
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

double Canvas::text_width(std::string_view text, const TextStyle& style) {
  use(style);
  cairo_text_extents_t extents;
  cairo_text_extents(context_.get(), one_line(text).c_str(), &extents);
  return extents.x_advance;
}

std::string Canvas::fitting(std::string_view text, const TextStyle& style, double most) {
  auto whole = one_line(text);
  if (text_width(whole, style) <= most) return whole;
  std::string_view part = whole;
  while (!part.empty()) {
    part = shortened(part);
    auto cut = std::string(part) + "…";
    if (text_width(cut, style) <= most) return cut;
  }
  return "";
}

void Canvas::text(double x, double y, std::string_view text, const TextStyle& style, double most) {
  const auto shown = fitting(text, style, most);
  const double wide = text_width(shown, style);
  cairo_move_to(context_.get(),
                style.side == Side::begin    ? x
                : style.side == Side::middle ? x - wide / 2
                                             : x - wide,
                y);
  cairo_show_text(context_.get(), shown.c_str());
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
