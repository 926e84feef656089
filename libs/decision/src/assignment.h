// Who goes where, so that everybody has a place.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace marquee::decision {

/// A place for each of `many`, no two the same; nullopt where there is none (augmenting paths: Kuhn's algorithm).
/// `fits(one, place)` says whether it may go there.
template <class Fits>
[[nodiscard]] std::optional<std::vector<std::size_t>> assign(std::size_t many, std::size_t places, const Fits& fits) {
  constexpr auto kNobody = static_cast<std::size_t>(-1);
  std::vector<std::size_t> who(places, kNobody);
  std::vector<bool> was_tried;
  const auto place = [&](const auto& self, std::size_t one) -> bool {
    for (std::size_t i = 0; i < places; ++i) {
      if (was_tried[i] || !fits(one, i)) continue;
      was_tried[i] = true;
      if (who[i] == kNobody || self(self, who[i])) {
        who[i] = one;
        return true;
      }
    }
    return false;
  };
  for (std::size_t one = 0; one < many; ++one) {
    was_tried.assign(places, false);
    if (!place(place, one)) return std::nullopt;
  }
  std::vector<std::size_t> where(many);
  for (std::size_t i = 0; i < places; ++i)
    if (who[i] != kNobody) where[who[i]] = i;
  return where;
}

}  // namespace marquee::decision
