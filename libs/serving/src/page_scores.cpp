#include "page_scores.h"

#include <algorithm>

namespace marquee::serving {

void PageScores::score(const std::shared_ptr<const learning::Scorer>& scorer, const learning::RequestFeatures& request,
                       std::span<const std::uint32_t> candidates, std::span<float> attraction) {
  if (scorer != scorer_ || !std::ranges::equal(request.rows(), rows_)) {
    if (scorer != scorer_ || ++turn_ == 0) {
      sums_.resize(scorer->ads().size());
      made_in_.assign(scorer->ads().size(), 0);
      turn_ = 1;
    }
    scorer_ = scorer;
    rows_.assign(request.rows().begin(), request.rows().end());
  }
  sum_missing(candidates);
  logits_.resize(candidates.size());
  for (std::size_t i = 0; i < candidates.size(); ++i) logits_[i] = sums_[candidates[i]];
  scorer_->add(request.rows_apart(), candidates, logits_, scratch_);
  learning::Scorer::finish(logits_, attraction);
}

void PageScores::sum_missing(std::span<const std::uint32_t> candidates) {
  missing_.clear();
  for (const auto ad : candidates)
    if (made_in_[ad] != turn_) missing_.push_back(ad);
  if (missing_.empty()) return;
  missing_sums_.resize(missing_.size());
  scorer_->begin(rows_, missing_, missing_sums_, scratch_);
  for (std::size_t i = 0; i < missing_.size(); ++i) {
    sums_[missing_[i]] = missing_sums_[i];
    made_in_[missing_[i]] = turn_;
  }
}

}  // namespace marquee::serving
