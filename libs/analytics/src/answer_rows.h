// What reports read from the store's rows of text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "marquee/analytics/reports.h"

namespace marquee::analytics {

/// 0 where the text is no number.
[[nodiscard]] std::uint64_t number(const std::string& text);
/// Absent where the text is no number, or nan.
[[nodiscard]] std::optional<double> real(const std::string& text);
/// Of impressions, viewable impressions and clicks, from column `at` on.
[[nodiscard]] Rate rate_at(const std::vector<std::string>& row, std::size_t at);
void add(Rate& total, const Rate& part);

}  // namespace marquee::analytics
