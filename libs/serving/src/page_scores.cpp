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
    ads_.clear();
  }
  if (!narrow(candidates)) look_up(candidates);
  logits_ = own_;
  scorer_->add(request.rows_apart(), candidates, logits_, scratch_);
  learning::Scorer::finish(logits_, attraction);
}

/// True where the candidates are the last ones without some, in their order, as most placements' are: then what is
/// known of them need not be looked up by ad.
bool PageScores::narrow(std::span<const std::uint32_t> candidates) {
  if (ads_.empty() || candidates.size() > ads_.size()) return false;
  const auto move = [](auto& all, std::size_t from, std::size_t count, std::size_t to) {
    std::copy_n(all.begin() + static_cast<std::ptrdiff_t>(from), count, all.begin() + static_cast<std::ptrdiff_t>(to));
  };
  std::size_t from = 0;
  for (std::size_t to = 0; to < candidates.size();) {
    while (from < ads_.size() && ads_[from] != candidates[to]) ++from;
    std::size_t count = 0;
    const auto most = std::min(candidates.size() - to, ads_.size() - from);
    while (count < most && ads_[from + count] == candidates[to + count]) ++count;
    if (count == 0) return false;
    if (from != to) {
      move(ads_, from, count, to);
      move(own_, from, count, to);
      move(spread_, from, count, to);
    }
    from += count;
    to += count;
  }
  ads_.resize(candidates.size());
  own_.resize(candidates.size());
  spread_.resize(candidates.size());
  return true;
}

void PageScores::look_up(std::span<const std::uint32_t> candidates) {
  sum_missing(candidates);
  ads_.assign(candidates.begin(), candidates.end());
  own_.resize(candidates.size());
  for (std::size_t i = 0; i < candidates.size(); ++i) own_[i] = sums_[candidates[i]];
  spread_.resize(candidates.size());
  scorer_->rate_spread(candidates, spread_);
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
