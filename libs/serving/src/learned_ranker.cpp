#include "marquee/serving/learned_ranker.h"

#include <fmt/format.h>

#include <utility>

#include "fatigue.h"
#include "marquee/decision/names.h"
#include "model_features.h"
#include "page_scores.h"

namespace marquee::serving {
namespace {

/// Of one thread: memory that is used again.
struct Work {
  Work(const learning::FeatureSpec& spec, const learning::ExplorationOptions& options)
      : of(&spec), features(spec), draw(options) {}
  const learning::FeatureSpec* of;
  learning::RequestFeatures features;
  learning::SlateDraw draw;
  PageScores scores;
  std::vector<std::uint32_t> rows;
  std::vector<float> attraction, value, spread;  ///< The last two in an auction.
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
  work.spread.assign(work.scores.spread().begin(), work.scores.spread().end());
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const auto& campaign = *candidates[i].ad->campaign->campaign;
    const auto bid = static_cast<double>(campaign.bid_micros);
    const bool is_of_clicks = campaign.price == decision::Price::per_click;
    work.value[i] = static_cast<float>(is_of_clicks ? bid * clicks * work.attraction[i] : bid);
    if (!is_of_clicks) work.spread[i] = 0;
  }
}

}  // namespace

/// Outlived by the ranker, whose features and options it has.
class LearnedRanker::Version final : public decision::Ranker {
 public:
  /// Without a scorer each candidate has the same chance.
  Version(const LearnedRanker& of, Ranking ranking, std::string name)
      : of_(of), ranking_(std::move(ranking)), name_(std::move(name)) {}
  void rank(const decision::Request& request, const decision::Placement& placement,
            const decision::Inventory& inventory, std::span<decision::Candidate> candidates) const override;
  [[nodiscard]] std::string_view policy() const override { return name_; }
  [[nodiscard]] decision::Auction auction() const override { return of_.auction_; }
  [[nodiscard]] double examination(const decision::Placement& placement,
                                   const decision::Inventory& inventory) const override;
  [[nodiscard]] const decision::Inventory* inventory() const { return ranking_.inventory.get(); }

 private:
  const LearnedRanker& of_;
  Ranking ranking_;
  std::string name_;
};

LearnedRanker::LearnedRanker(decision::Auction auction, const learning::ExplorationOptions& options)
    : auction_(auction),
      features_(*learning::FeatureSpec::parse(model_feature_options())),
      fatigue_(std::make_unique<const Fatigue>(features_)),
      options_(options),
      none_(std::make_shared<const Version>(*this, Ranking{}, "uniform-1")) {}
LearnedRanker::~LearnedRanker() = default;

void LearnedRanker::use(std::vector<Ranking> rankings, std::uint64_t version) {
  std::vector<std::shared_ptr<const Version>> versions;
  const auto name = fmt::format("{}-{}", policy(), version);
  for (auto& one : rankings) versions.push_back(std::make_shared<const Version>(*this, std::move(one), name));
  versions_.set(std::make_shared<const std::vector<std::shared_ptr<const Version>>>(std::move(versions)));
}

std::shared_ptr<const decision::Ranker> LearnedRanker::current(const decision::Inventory& inventory) const {
  if (const auto versions = versions_.get())
    for (const auto& one : *versions)
      if (one->inventory() == &inventory) return one;
  return none_;
}

double LearnedRanker::examination(const decision::Placement& placement, const decision::Inventory& inventory) const {
  return current(inventory)->examination(placement, inventory);
}

void LearnedRanker::rank(const decision::Request& request, const decision::Placement& placement,
                         const decision::Inventory& inventory, std::span<decision::Candidate> candidates) const {
  current(inventory)->rank(request, placement, inventory, candidates);
}

double LearnedRanker::Version::examination(const decision::Placement& placement,
                                           const decision::Inventory& inventory) const {
  const auto* slot = inventory.find_slot(placement.slot);
  return (slot != nullptr ? slot->examination : 1) *
         (ranking_.scorer ? examination_at(*ranking_.scorer, placement) : 1);
}

void LearnedRanker::Version::rank(const decision::Request& request, const decision::Placement& placement,
                                  const decision::Inventory& inventory,
                                  std::span<decision::Candidate> candidates) const {
  const auto& scorer = ranking_.scorer;
  const bool is_auction =
      of_.auction_ != decision::Auction::none && decision::is_auctioned(*candidates.front().ad->campaign->campaign);
  if (scorer == nullptr) {
    decision::UniformRanker().rank(request, placement, inventory, candidates);
    for (auto& one : candidates) one.value = is_auction ? static_cast<float>(one.ad->campaign->ecpm_micros) : 0;
    return;
  }
  Work& work = work_of(of_.features_, of_.options_);
  work.features.clear();
  for (const auto& known : request.context.known)
    describe_known(work.features, decision::name(known.field), known.value);
  describe_place(work.features, request.context.time_ms, placement.slot);
  work.features.compile_apart(kPlacementFeature);
  work.rows.clear();
  for (const auto& one : candidates) work.rows.push_back(one.row);
  work.attraction.resize(candidates.size());
  work.scores.score(scorer, work.features, work.rows, work.attraction);
  if (ranking_.seen)
    of_.fatigue_->apply(request.context, *ranking_.seen, scorer->model(), work.rows, work.attraction, work.fatigue);
  if (is_auction) take_values(*scorer, placement, candidates, work);
  const learning::Arms arms{.value = is_auction ? work.value : work.attraction,
                            .spread = is_auction ? std::span<const float>(work.spread) : work.scores.spread(),
                            .spread_in_context = nullptr};
  work.draw.begin(arms, request.id.low, scorer->model().clicks, 1);
  // None is drawn here: the page draws by the chances, as not all of the candidates need be there for good.
  work.draw.share_out();
  const auto others = static_cast<float>(work.draw.others_propensity());
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    candidates[i].score = work.attraction[i];
    candidates[i].value = is_auction ? work.value[i] : 0;
    candidates[i].propensity = others;
  }
  for (const auto& share : work.draw.shortlist())
    candidates[share.arm].propensity = static_cast<float>(share.propensity);
}

}  // namespace marquee::serving
