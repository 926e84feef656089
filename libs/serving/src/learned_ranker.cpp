#include "marquee/serving/learned_ranker.h"

#include <algorithm>

#include "fatigue.h"
#include "marquee/decision/names.h"
#include "model_features.h"

namespace marquee::serving {
namespace {

/// Of one thread: memory that is used again.
struct Work {
  Work(const learning::FeatureSpec& spec, const learning::ExplorationOptions& options)
      : of(&spec), features(spec), draw(options) {}
  const learning::FeatureSpec* of;
  learning::RequestFeatures features;
  learning::SlateDraw draw;
  learning::Scorer::Scratch scratch;
  std::vector<std::uint32_t> rows;
  std::vector<float> attraction, value, spread;
  Fatigue::Scratch fatigue;
};

Work& work_of(const learning::FeatureSpec& spec, const learning::ExplorationOptions& options) {
  thread_local std::unique_ptr<Work> work;
  if (!work || work->of != &spec) work = std::make_unique<Work>(spec, options);
  return *work;
}

double examination_at(const learning::Scorer& scorer, const decision::Placement& placement) {
  return scorer.examination(placement.position > 0 ? placement.position - 1U : 0U);
}

/// eCPM in micros. What is paid for impressions alone is worth its bid for certain.
void take_values(const learning::Scorer& scorer, const decision::Placement& placement,
                 std::span<const decision::Candidate> candidates, Work& work) {
  constexpr double kThousand = 1'000;
  const auto clicks = kThousand * examination_at(scorer, placement);
  work.value.resize(candidates.size());
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const auto& campaign = *candidates[i].ad->campaign->campaign;
    const auto bid = static_cast<double>(campaign.bid_micros);
    const bool is_of_clicks = campaign.price == decision::Price::per_click;
    work.value[i] = static_cast<float>(is_of_clicks ? bid * clicks * work.attraction[i] : bid);
    if (!is_of_clicks) work.spread[i] = 0;
  }
}

}  // namespace

LearnedRanker::LearnedRanker(decision::Auction auction, const learning::ExplorationOptions& options)
    : auction_(auction),
      features_(*learning::FeatureSpec::parse(model_feature_options())),
      fatigue_(std::make_unique<const Fatigue>(features_)),
      options_(options) {}
LearnedRanker::~LearnedRanker() = default;

void LearnedRanker::use(std::vector<Ranking> rankings) {
  rankings_.set(std::make_shared<const std::vector<Ranking>>(std::move(rankings)));
}

LearnedRanker::Ranking LearnedRanker::ranking_of(const decision::Inventory& inventory) const {
  const auto rankings = rankings_.get();
  if (rankings)
    for (const auto& one : *rankings)
      if (one.inventory.get() == &inventory) return one;
  return {};
}

double LearnedRanker::examination(const decision::Placement& placement, const decision::Inventory& inventory) const {
  const auto* slot = inventory.find_slot(placement.slot);
  const auto scorer = ranking_of(inventory).scorer;
  return (slot != nullptr ? slot->examination : 1) * (scorer ? examination_at(*scorer, placement) : 1);
}

void LearnedRanker::rank(const decision::Request& request, const decision::Placement& placement,
                         const decision::Inventory& inventory, std::span<decision::Candidate> candidates) const {
  const auto ranking = ranking_of(inventory);
  const auto& scorer = ranking.scorer;
  const bool is_auction =
      auction_ != decision::Auction::none && decision::is_auctioned(*candidates.front().ad->campaign->campaign);
  if (scorer == nullptr) {
    decision::UniformRanker().rank(request, placement, inventory, candidates);
    for (auto& one : candidates) one.value = is_auction ? static_cast<float>(one.ad->campaign->ecpm_micros) : 0;
    return;
  }
  Work& work = work_of(features_, options_);
  work.features.clear();
  for (const auto& known : request.context.known)
    describe_known(work.features, decision::name(known.field), known.value);
  describe_place(work.features, request.context.time_ms, placement.slot);
  work.features.compile();
  work.rows.clear();
  for (const auto& one : candidates) work.rows.push_back(one.row);
  work.attraction.resize(candidates.size());
  work.spread.resize(candidates.size());
  scorer->score(work.features, work.rows, work.attraction, work.scratch);
  if (ranking.seen)
    fatigue_->apply(request.context, *ranking.seen, scorer->model(), work.rows, work.attraction, work.fatigue);
  scorer->rate_spread(work.rows, work.spread);
  if (is_auction) take_values(*scorer, placement, candidates, work);
  work.draw.begin(
      {.value = is_auction ? work.value : work.attraction, .spread = work.spread, .spread_in_context = nullptr},
      request.id.low, scorer->model().clicks);
  // Which one is drawn here is of no matter: the page draws by the chances, as not all of them need be there for good.
  static_cast<void>(work.draw.next());
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    candidates[i].score = work.attraction[i];
    candidates[i].value = is_auction ? work.value[i] : 0;
    candidates[i].propensity = static_cast<float>(work.draw.others_propensity());
  }
  for (const auto& share : work.draw.shortlist())
    candidates[share.arm].propensity = static_cast<float>(share.propensity);
}

}  // namespace marquee::serving
