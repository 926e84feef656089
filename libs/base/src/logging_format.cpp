#include "logging_format.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cmath>
#include <cstddef>
#include <ctime>
#include <iterator>

namespace marquee::logging {
namespace {

using Buffer = fmt::memory_buffer;

void append(Buffer& out, std::string_view text) { out.append(text.data(), text.data() + text.size()); }

std::string_view name_of(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warn:
      return "warn";
    case Level::error:
      return "error";
  }
  return "error";
}

/// Length of the UTF-8 sequence at the start of `text` (Unicode 15, table 3-7), or 0 where there is none.
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto between = [&](std::size_t i, unsigned low, unsigned high) { return at(i) >= low && at(i) <= high; };
  const unsigned lead = at(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return between(1, 0x80, 0xBF) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned low = lead == 0xE0 ? 0xA0 : 0x80;
    const unsigned high = lead == 0xED ? 0x9F : 0xBF;
    return between(1, low, high) && between(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned low = lead == 0xF0 ? 0x90 : 0x80;
    const unsigned high = lead == 0xF4 ? 0x8F : 0xBF;
    return between(1, low, high) && between(2, 0x80, 0xBF) && between(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

void append_quoted(Buffer& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    const char c = text.front();
    std::size_t taken = 1;
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (c == '\n') {
      append(out, "\\n");
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
    } else if (taken = utf8_length(text); taken == 0) {
      append(out, "\\ufffd");
      taken = 1;
    } else {
      append(out, text.substr(0, taken));
    }
    text.remove_prefix(taken);
  }
  out.push_back('"');
}

bool is_bare_word(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f || c == '"' || c == '=' ||
        c == '\\') {
      return false;
    }
  }
  return !text.empty();
}

void append_value(Buffer& out, const Field& field, bool bare) {
  if (const auto* view = std::get_if<std::string_view>(&field.value)) {
    if (bare && is_bare_word(*view)) {
      append(out, *view);
    } else {
      append_quoted(out, *view);
    }
  } else if (const auto* integer = std::get_if<std::int64_t>(&field.value)) {
    fmt::format_to(std::back_inserter(out), "{}", *integer);
  } else if (const auto* real = std::get_if<double>(&field.value)) {
    // JSON has no word for infinity or not-a-number.
    if (std::isfinite(*real)) {
      fmt::format_to(std::back_inserter(out), "{}", *real);
    } else {
      append(out, "null");
    }
  } else {
    append(out, std::get<bool>(field.value) ? "true" : "false");
  }
}

void append_time(Buffer& out, WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const std::time_t whole = seconds.time_since_epoch().count();
  std::tm parts{};
  ::gmtime_r(&whole, &parts);
  fmt::format_to(std::back_inserter(out), "{:%Y-%m-%dT%H:%M:%S}.{:03}Z", parts, (time - seconds).count());
}

}  // namespace

std::string format_line(bool text, WallTime time, Level level, std::string_view event, std::span<const Field> fields) {
  Buffer out;
  if (text) {
    append_time(out, time);
    fmt::format_to(std::back_inserter(out), " {:<5} {}", name_of(level), event);
    for (const Field& field : fields) {
      out.push_back(' ');
      append(out, field.name);
      out.push_back('=');
      append_value(out, field, true);
    }
  } else {
    append(out, "{\"time\":\"");
    append_time(out, time);
    fmt::format_to(std::back_inserter(out), "\",\"level\":\"{}\",\"event\":", name_of(level));
    append_quoted(out, event);
    for (const Field& field : fields) {
      out.push_back(',');
      append_quoted(out, field.name);
      out.push_back(':');
      append_value(out, field, false);
    }
    out.push_back('}');
  }
  out.push_back('\n');
  return fmt::to_string(out);
}

}  // namespace marquee::logging
