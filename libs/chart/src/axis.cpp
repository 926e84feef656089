#include "axis.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace marquee::chart {
namespace {

using std::chrono::milliseconds;
using Time = std::chrono::sys_time<milliseconds>;

constexpr std::int64_t kMinute = 60'000, kHour = 60 * kMinute, kDay = 24 * kHour;
constexpr std::int64_t kSteps[] = {kMinute,      2 * kMinute, 5 * kMinute, 10 * kMinute, 15 * kMinute,
                                   30 * kMinute, kHour,       2 * kHour,   3 * kHour,    6 * kHour,
                                   12 * kHour,   kDay,        2 * kDay,    7 * kDay};
constexpr unsigned kMonthSteps[] = {1, 2, 3, 6, 12, 24, 60, 120};

/// With commas between thousands.
std::string grouped(std::string digits) {
  const std::size_t begin = digits.starts_with('-') ? 1 : 0;
  std::size_t end = std::min(digits.find('.'), digits.size());
  while (end > begin + 3) digits.insert(end -= 3, 1, ',');
  return digits;
}

std::string fixed(double value, int places) {
  auto text = fmt::format("{:.{}f}", value, places);
  if (text.find('.') != std::string::npos) text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text == "-0" ? "0" : grouped(std::move(text));
}

/// Of a step between ticks: as many as tell them apart.
int places_of(double step) { return std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 9); }

std::string time_tick_text(std::int64_t time_ms, std::int64_t step_ms) {
  const auto time = fmt::gmtime(std::chrono::system_clock::to_time_t(Time(milliseconds(time_ms))));
  if (step_ms < kDay && time_ms % kDay != 0) return fmt::format("{:%H:%M}", time);
  return fmt::format("{:%b} {}", time, time.tm_mday);
}

std::vector<Tick> month_ticks(std::int64_t from_ms, std::int64_t to_ms, std::size_t most) {
  using namespace std::chrono;
  const auto begin = year_month_day(floor<days>(Time(milliseconds(from_ms))));
  std::vector<Tick> ticks;
  for (const unsigned step : kMonthSteps) {
    ticks.clear();
    const int first = int(begin.year()) * 12 + static_cast<int>(unsigned(begin.month())) - 1;
    for (int at = first - first % static_cast<int>(step);; at += static_cast<int>(step)) {
      const sys_days day = year(at / 12) / month(static_cast<unsigned>(at % 12) + 1) / 1;
      const auto ms = duration_cast<milliseconds>(day.time_since_epoch()).count();
      if (ms > to_ms) break;
      if (ms < from_ms) continue;
      const auto time = fmt::gmtime(system_clock::to_time_t(day));
      ticks.push_back({static_cast<double>(ms),
                       step >= 12 || at % 12 == 0 ? fmt::format("{:%Y}", time) : fmt::format("{:%b}", time)});
    }
    if (ticks.size() <= most) return ticks;
  }
  return ticks;
}

}  // namespace

std::string number_text(double value, Unit unit) {
  if (!std::isfinite(value)) return "–";
  const double told = unit == Unit::share ? value * 100 : value;
  const double size = std::abs(told);
  // Three digits that say something.
  const int places =
      size == 0 || size >= 100 ? 0 : std::clamp(2 - static_cast<int>(std::floor(std::log10(size))), 0, 6);
  return fixed(told, places) + (unit == Unit::share ? " %" : "");
}

std::vector<Tick> value_ticks(double low, double high, Unit unit) {
  low = std::isfinite(low) ? std::min(low, 0.0) : 0;
  high = std::isfinite(high) ? std::max(high, 0.0) : 0;
  if (high <= low) high = low + (unit == Unit::share ? 0.01 : 1);
  const double scale = unit == Unit::share ? 100 : 1;
  const double rough = (high - low) * scale / 5;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double step = (rough <= power ? 1 : rough <= 2 * power ? 2 : rough <= 5 * power ? 5 : 10) * power;
  std::vector<Tick> ticks;
  const double first = std::floor(low * scale / step + 1e-9);
  for (double i = first; i == first || (i - 1) * step < high * scale * (1 - 1e-9); ++i)
    ticks.push_back({i * step / scale, fixed(i * step, places_of(step)) + (unit == Unit::share ? " %" : "")});
  return ticks;
}

std::vector<Tick> time_ticks(std::int64_t from_ms, std::int64_t to_ms, std::size_t most) {
  for (const auto step : kSteps) {
    if (static_cast<std::size_t>((to_ms - from_ms) / step) >= most) continue;
    std::vector<Tick> ticks;
    for (auto at = (from_ms + step - 1) / step * step; at <= to_ms; at += step)
      ticks.push_back({static_cast<double>(at), time_tick_text(at, step)});
    return ticks;
  }
  return month_ticks(from_ms, to_ms, most);
}

}  // namespace marquee::chart
