#include "answer_rows.h"

#include <charconv>

#include "marquee/analytics/statistics.h"

namespace marquee::analytics {

std::uint64_t number(const std::string& text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::optional<double> real(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data() || value != value) return std::nullopt;
  return value;
}

Rate rate_at(const std::vector<std::string>& row, std::size_t at) {
  return make_rate(number(row[at]), number(row[at + 1]), number(row[at + 2]));
}

void add(Rate& total, const Rate& part) {
  total = make_rate(total.impressions + part.impressions, total.viewable_impressions + part.viewable_impressions,
                    total.clicks + part.clicks);
}

Rate make_rate(std::uint64_t impressions, std::uint64_t viewable_impressions, std::uint64_t clicks) {
  const auto [low, high] = wilson(clicks, impressions);
  return {impressions, viewable_impressions,
          clicks,      impressions == 0 ? 0 : static_cast<double>(clicks) / static_cast<double>(impressions),
          low,         high};
}

}  // namespace marquee::analytics
