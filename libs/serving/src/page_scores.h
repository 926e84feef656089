// Scores of the placements of a page: they differ by what hangs on the placement alone, so that the rest, which is most
// of it, is summed once for each candidate.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "marquee/learning/features.h"
#include "marquee/learning/scorer.h"

namespace marquee::serving {

/// Remembers the sums of the last rows that it was asked with. Keep one per thread: its memory is used again.
class PageScores {
 public:
  /// As scorer->score(request, ...), bit for bit. The sums are those of request.rows(), and are taken again for as long
  /// as these and the scorer stay the same; rows_apart() are added each time. Holds on to the scorer until it is
  /// another.
  void score(const std::shared_ptr<const learning::Scorer>& scorer, const learning::RequestFeatures& request,
             std::span<const std::uint32_t> candidates, std::span<float> attraction);
  /// Scorer::rate_spread() of the candidates that were scored last.
  [[nodiscard]] std::span<const float> spread() const { return spread_; }

 private:
  bool narrow(std::span<const std::uint32_t> candidates);
  void look_up(std::span<const std::uint32_t> candidates);
  void sum_missing(std::span<const std::uint32_t> candidates);

  std::shared_ptr<const learning::Scorer> scorer_;
  std::vector<learning::Row> rows_;
  std::vector<float> sums_;             ///< By ad, where
  std::vector<std::uint32_t> made_in_;  ///< it was made in this turn.
  std::uint32_t turn_ = 0;
  std::vector<std::uint32_t> ads_;   ///< Those that were scored last; none: another page begins.
  std::vector<float> own_, spread_;  ///< Sums and spreads of these.
  std::vector<std::uint32_t> missing_;
  std::vector<float> missing_sums_, logits_;
  learning::Scorer::Scratch scratch_;
};

}  // namespace marquee::serving
