#include "config_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

namespace marquee::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<Unit, 5> kDurations{{{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
// The first five are those that are printed.
constexpr std::array<Unit, 10> kSizes{{{"B", 1},
                                       {"KiB", std::uint64_t{1} << 10},
                                       {"MiB", std::uint64_t{1} << 20},
                                       {"GiB", std::uint64_t{1} << 30},
                                       {"TiB", std::uint64_t{1} << 40},
                                       {"kB", 1'000},
                                       {"KB", 1'000},
                                       {"MB", 1'000'000},
                                       {"GB", 1'000'000'000},
                                       {"TB", 1'000'000'000'000}}};

Result<std::uint64_t> parse_with_unit(std::string_view text, std::span<const Unit> units, std::string_view expected) {
  const auto wrong = [&] { return Error::reject(fmt::format("\"{}\" is not {}", text, expected)); };
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc{}) return wrong();
  std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
  while (name.starts_with(' ')) name.remove_prefix(1);
  const auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == name; });
  if (unit == units.end()) return wrong();
  if (number > std::numeric_limits<std::uint64_t>::max() / unit->factor) return wrong();
  return number * unit->factor;
}

std::string format_with_unit(std::uint64_t number, std::span<const Unit> units) {
  for (auto unit = units.rbegin(); unit != units.rend(); ++unit) {
    if (number != 0 && number % unit->factor == 0) return fmt::format("{}{}", number / unit->factor, unit->name);
  }
  return "0";
}

bool is_plain(std::string_view text) {
  if (text == "null" || text == "Null" || text == "NULL") return false;
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '/' || c == '+';
  };
  const auto inside = [&](char c) { return plain(c) || c == '-'; };
  return !text.empty() && plain(text.front()) && std::all_of(text.begin(), text.end(), inside);
}

}  // namespace

Result<bool> parse_bool(std::string_view text) {
  if (text == "true" || text == "yes" || text == "on" || text == "1") return true;
  if (text == "false" || text == "no" || text == "off" || text == "0") return false;
  return Error::reject(fmt::format("\"{}\" is neither true nor false", text));
}

Result<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc{} || end != text.data() + text.size()) {
    return Error::reject(fmt::format("\"{}\" is not a whole number", text));
  }
  return number;
}

Result<double> parse_real(std::string_view text) {
  double number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) {
    return Error::reject(fmt::format("\"{}\" is not a number", text));
  }
  return number;
}

Result<std::uint64_t> parse_duration(std::string_view text) {
  if (text == "0") return std::uint64_t{0};
  return parse_with_unit(text, kDurations, "a duration; write it as \"250ms\", \"5s\", \"10m\", \"2h\" or \"7d\"");
}

Result<std::uint64_t> parse_size(std::string_view text) {
  if (auto bytes = parse_count(text)) return bytes;
  return parse_with_unit(text, kSizes, "a size; write it as \"512B\", \"64KiB\", \"8MiB\" or \"2GiB\"");
}

std::string format_duration(std::uint64_t ms) { return format_with_unit(ms, kDurations); }
std::string format_size(std::uint64_t bytes) { return format_with_unit(bytes, std::span(kSizes).first(5)); }

std::string yaml_scalar(std::string_view text) {
  if (is_plain(text)) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + '"';
}

}  // namespace marquee::config
