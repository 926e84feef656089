#include "marquee/learning/term_precisions.h"

#include <array>
#include <limits>

namespace marquee::learning {
namespace {

constexpr std::size_t kMostTerms = std::size_t{std::numeric_limits<std::uint8_t>::max()} + 1;

}  // namespace

void TermPrecisions::estimate(std::span<const Coordinate> table) {
  struct Sums {
    double squares = 0, known = 0;
  };
  const double worth = options_.worth;
  std::array<Sums, kMostTerms> sums;
  sums.fill({worth / options_.precision, worth});
  for (const auto& at : table) {
    if (at.n <= 0) continue;
    const double w = weight(at);
    sums[at.term].squares += w * w;
    sums[at.term].known += at.n / (at.n + of(at.term));
  }
  for (std::size_t term = 0; term < of_.size(); ++term)
    of_[term] = static_cast<float>(sums[term].known / sums[term].squares);
}

}  // namespace marquee::learning
