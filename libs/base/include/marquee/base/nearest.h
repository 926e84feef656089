// The name that was probably meant.
#pragma once

#include <cstddef>
#include <limits>
#include <string_view>

namespace marquee {

/// Levenshtein distance.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

/// The one of `names` that is nearest to `name`, the first of equals; empty where there are none. Of a longer name only
/// the first 200 bytes are compared, as it may come from anywhere.
template <class Names>
[[nodiscard]] std::string_view nearest(std::string_view name, const Names& names) {
  std::string_view best;
  std::size_t distance = std::numeric_limits<std::size_t>::max();
  for (const auto& candidate : names) {
    if (const std::size_t d = edit_distance(name.substr(0, 200), candidate); d < distance) {
      distance = d;
      best = candidate;
    }
  }
  return best;
}

}  // namespace marquee
