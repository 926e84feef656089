#include "marquee/serving/model_policy.h"

#include <fmt/format.h>

#include "click_trainer.h"
#include "history_model.h"
#include "learning_rounds.h"
#include "marquee/learning/scorer.h"
#include "model_features.h"

namespace marquee::serving {

struct ModelPolicy::Impl {
  Impl(learning::FeatureSpec parsed, const learning::ExplorationOptions& exploration)
      : spec(std::move(parsed)), features(spec), draw(exploration) {}
  learning::FeatureSpec spec;
  learning::RequestFeatures features;
  learning::SlateDraw draw;
  learning::Scorer::Scratch scratch;
  std::shared_ptr<const learning::Scorer> scorer;
  std::vector<float> attraction, spread;
  WallTime until{};
};

ModelPolicy::ModelPolicy(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ModelPolicy::~ModelPolicy() = default;

Result<std::unique_ptr<ModelPolicy>> ModelPolicy::read(const std::string& path, std::string_view site_id,
                                                       std::span<const KnownAd> ads,
                                                       const learning::ExplorationOptions& exploration) {
  auto spec = learning::FeatureSpec::parse(model_feature_options());
  if (!spec) return spec.error();
  if (auto checked = learning::check(exploration); !checked) return checked.error();
  auto impl = std::make_unique<Impl>(std::move(*spec), exploration);
  const auto trained = read_trained(path);
  if (!trained) return trained.error();
  ClickTrainer trainer(TrainingOptions{}, impl->spec);
  if (auto loaded = trainer.load(*trained); !loaded)
    return Error(loaded.error().action, path + ": " + loaded.error().message);
  std::vector<learning::Ad> known;
  for (const auto& ad : ads)
    known.push_back({.id = ad.id,
                     .site = std::string(site_id),
                     .campaign = ad.campaign,
                     .category = ad.category,
                     .advertiser = ad.advertiser,
                     .attributes = {}});
  auto scorer =
      learning::Scorer::bind(trainer.learner().model(), std::make_shared<const learning::AdTable>(impl->spec, known));
  if (!scorer) return scorer.error();
  impl->scorer = std::move(*scorer);
  impl->until = trainer.now();
  return std::unique_ptr<ModelPolicy>(new ModelPolicy(std::move(impl)));
}

WallTime ModelPolicy::learned_until() const { return impl_->until; }

void ModelPolicy::choose(const Situation& situation, std::span<const std::uint32_t> candidates, std::span<double> out) {
  auto& [spec, features, draw, scratch, scorer, attraction, spread, until] = *impl_;
  features.clear();
  for (const auto& [name, value] : situation.context) describe_known(features, name, value);
  describe_place(features, situation.time_ms, situation.slot_id);
  features.compile_apart(kPlacementFeature);
  attraction.resize(candidates.size());
  spread.resize(candidates.size());
  scorer->score(features, candidates, attraction, scratch);
  scorer->rate_spread(candidates, spread);
  draw.begin({.value = attraction, .spread = spread, .spread_in_context = nullptr}, situation.seed,
             scorer->model().clicks);
  static_cast<void>(draw.next());
  for (auto& chance : out) chance = draw.others_propensity();
  for (const auto& share : draw.shortlist()) out[share.arm] = share.propensity;
}

}  // namespace marquee::serving
