// How far the weights of each term may go from 0, learned from those weights themselves: a term that tells nothing is
// pulled to 0 together, and does not add the noise of its many weights to every prediction; one whose weights differ is
// let differ. That is evidence maximization (MacKay, "Bayesian Interpolation", 1992; "automatic relevance
// determination"), term by term:
//
//   1 / precision = sum of w^2 / sum of n / (n + precision)      over the term's weights
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "marquee/learning/ftrl.h"

namespace marquee::learning {

/// Not thread safe.
class TermPrecisions {
 public:
  TermPrecisions(const FtrlOptions& options, std::size_t terms)
      : options_(options), of_(std::max<std::size_t>(terms, 1), options.precision) {}

  [[nodiscard]] float of(std::uint8_t term) const { return of_[term]; }
  [[nodiscard]] float weight(const Coordinate& at) const { return ftrl_weight(at, of(at.term), options_.l1); }
  /// Anew from all weights. Passes over the whole table: some milliseconds.
  void estimate(std::span<const Coordinate> table);

  [[nodiscard]] const std::vector<float>& all() const { return of_; }
  void put(std::size_t term, float precision) { of_[term] = precision; }

 private:
  FtrlOptions options_;
  std::vector<float> of_;  ///< One at least: slots that no term has learned yet are term 0's.
};

}  // namespace marquee::learning
