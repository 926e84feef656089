#include "marquee/serving/learned_ranker.h"

#include <algorithm>

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
  std::vector<float> attraction, spread;
};

Work& work_of(const learning::FeatureSpec& spec, const learning::ExplorationOptions& options) {
  thread_local std::unique_ptr<Work> work;
  if (!work || work->of != &spec) work = std::make_unique<Work>(spec, options);
  return *work;
}

}  // namespace

LearnedRanker::LearnedRanker(const learning::ExplorationOptions& options)
    : features_(*learning::FeatureSpec::parse(model_feature_options())), options_(options) {}

void LearnedRanker::use(std::vector<Ranking> rankings) {
  rankings_.set(std::make_shared<const std::vector<Ranking>>(std::move(rankings)));
}

void LearnedRanker::rank(const decision::Request& request, const decision::Placement& placement,
                         const decision::Inventory& inventory, std::span<decision::Candidate> candidates) const {
  const auto rankings = rankings_.get();
  const learning::Scorer* scorer = nullptr;
  if (rankings)
    for (const auto& one : *rankings)
      if (one.inventory.get() == &inventory) scorer = one.scorer.get();
  if (scorer == nullptr) return decision::UniformRanker().rank(request, placement, inventory, candidates);
  Work& work = work_of(features_, options_);
  work.features.clear();
  for (const auto& known : request.context.known) work.features.add(decision::name(known.field), known.value);
  describe_place(work.features, request.context.time_ms, placement.slot);
  work.features.compile();
  work.rows.clear();
  for (const auto& one : candidates) work.rows.push_back(one.ad->row);
  work.attraction.resize(candidates.size());
  work.spread.resize(candidates.size());
  scorer->score(work.features, work.rows, work.attraction, work.scratch);
  scorer->rate_spread(work.rows, work.spread);
  work.draw.begin({.value = work.attraction, .spread = work.spread, .spread_in_context = nullptr}, request.id.low,
                  scorer->model().clicks);
  // Which one is drawn here is of no matter: the page draws by the chances, as not all of them need be there for good.
  static_cast<void>(work.draw.next());
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    candidates[i].score = work.attraction[i];
    candidates[i].propensity = static_cast<float>(work.draw.others_propensity());
  }
  for (const auto& share : work.draw.shortlist())
    candidates[share.arm].propensity = static_cast<float>(share.propensity);
}

}  // namespace marquee::serving
