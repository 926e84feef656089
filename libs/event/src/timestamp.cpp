#include "marquee/event/timestamp.h"

#include <chrono>

namespace marquee::event {
namespace {

class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}
  bool number(std::size_t digits, int& value) {
    if (text_.size() < digits) return false;
    value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      if (text_[i] < '0' || text_[i] > '9') return false;
      value = value * 10 + (text_[i] - '0');
    }
    text_.remove_prefix(digits);
    return true;
  }
  bool one_of(std::string_view characters) {
    if (text_.empty() || characters.find(text_.front()) == std::string_view::npos) return false;
    last_ = text_.front();
    text_.remove_prefix(1);
    return true;
  }
  [[nodiscard]] char last() const { return last_; }
  [[nodiscard]] bool is_at_end() const { return text_.empty(); }
  int fraction_ms() {
    int value = 0;
    int digits = 0;
    for (; !text_.empty() && text_.front() >= '0' && text_.front() <= '9'; text_.remove_prefix(1), ++digits)
      if (digits < 3) value = value * 10 + (text_.front() - '0');
    if (digits == 0) return -1;
    for (; digits < 3; ++digits) value *= 10;
    return value;
  }

 private:
  std::string_view text_;
  char last_ = 0;
};

}  // namespace

std::optional<std::int64_t> parse_timestamp(std::string_view text) {
  Cursor in(text);
  int year, month, day, hour, minute, second, milliseconds = 0;
  if (!in.number(4, year) || !in.one_of("-") || !in.number(2, month) || !in.one_of("-") || !in.number(2, day) ||
      !in.one_of("Tt ") || !in.number(2, hour) || !in.one_of(":") || !in.number(2, minute) || !in.one_of(":") ||
      !in.number(2, second))
    return std::nullopt;
  if (in.one_of(".") && (milliseconds = in.fraction_ms()) < 0) return std::nullopt;
  int offset_minutes = 0;
  if (!in.is_at_end() && !in.one_of("Zz")) {
    int hours, minutes;
    if (!in.one_of("+-")) return std::nullopt;
    const int sign = in.last() == '-' ? -1 : 1;
    if (!in.number(2, hours) || !in.one_of(":") || !in.number(2, minutes) || hours > 23 || minutes > 59)
      return std::nullopt;
    offset_minutes = sign * (hours * 60 + minutes);
  }
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day))};
  if (!in.is_at_end() || !date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const auto at = sys_days(date) + hours(hour) + minutes(minute - offset_minutes) + seconds(second) +
                  std::chrono::milliseconds(milliseconds);
  return duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count();
}

}  // namespace marquee::event
