#include "click_trainer.h"

#include <algorithm>
#include <variant>

#include "marquee/serving/decision_server.h"
#include "model_features.h"
#include "saved_bytes.h"

namespace marquee::serving {
namespace {

constexpr std::size_t kMostDecided = 200'000;  ///< Placements that wait for their impression, some 1 KB each.
constexpr double kMillis = 1e3;

struct Shown {
  std::uint64_t identity;
  WallTime at;
};

}  // namespace

ClickTrainer::ClickTrainer(const TrainingOptions& options, const learning::FeatureSpec& features)
    : options_(options),
      spec_(features),
      seal_(options.token_key),
      features_(features),
      learner_(std::in_place, features, options.learner),
      clicks_({.window = options.click_window, .horizon = kClickLife},
              [this](const learning::Impression& impression, double clicks) { learn(impression, clicks); }),
      decided_(kMostDecided),
      shown_(2 * kMostDecided),
      recalled_shown_(2 * kMostDecided),
      trial_(options.trial) {}

void ClickTrainer::take(const MergedLogs::Record& record) {
  if (const auto* choices = std::get_if<std::vector<LoggedChoice>>(&record)) take_decision(*choices);
  if (const auto* event = std::get_if<event::Event>(&record)) take_event(*event);
}

void ClickTrainer::take_decision(const std::vector<LoggedChoice>& choices) {
  for (const auto& one : choices) {
    features_.clear();
    const AdTopics ad(one.campaign_id, one.ad_id);
    for (const auto& [name, value] : one.context) describe_known_of(ad, features_, name, value);
    describe_place(features_, one.time_ms, one.slot_id);
    features_.compile();
    const auto rows = features_.rows();
    const auto place = one.position > 0 ? one.position - 1 : one.placement;
    decided_.add(seal_.impression_of(event_of(one)),
                 {.rows = std::make_shared<const std::vector<learning::Row>>(rows.begin(), rows.end()),
                  .ad = learning::ad_features(spec_, model_ad(one)),
                  .position = static_cast<std::uint8_t>(place)});
  }
}

void ClickTrainer::take_event(const event::Event& event) {
  const auto identity = seal_.verify(event);
  if (!identity) return;
  const WallTime at{Millis(event.event_time_ms)};
  if (event.type == event::Type::impression) {
    take_impression(event, *identity, at);
  } else {
    const auto shown = seal_.impression_of(event);
    if (const auto* time = shown_.find(shown)) static_cast<void>(clicks_.click(shown, *time, at));
  }
  now_ = std::max(now_, at);
  clicks_.advance(at);
}

void ClickTrainer::take_impression(const event::Event& event, std::uint64_t identity, WallTime at) {
  if (shown_.find(identity) != nullptr) return;  // Two processes took its token.
  const auto* decided = decided_.find(identity);
  if (decided == nullptr) {
    counts_.passed_over += is_recalling_ ? 0 : 1;
    return;
  }
  shown_.add(identity, at);
  clicks_.show(identity, at,
               {.rows = decided->rows,
                .ad = decided->ad,
                .position = decided->position,
                .time_s = static_cast<double>(event.event_time_ms) / kMillis});
}

void ClickTrainer::learn(const learning::Impression& impression, double clicks) {
  if (is_recalling_) return;
  const auto said = learner_->learn(impression, clicks);
  if (reference_model_) {
    const double other = reference_model_->predict(impression).click;
    static_cast<void>(trial_.add(said.click, other, clicks));
    previous_.add(other, clicks);
    ++compared_;
  }
  latest_.add(said.click, clicks);
  served_.add(said.click, clicks);
  ++counts_.impressions;
  counts_.clicks += clicks;
}

std::optional<ClickTrainer::RollBack> ClickTrainer::end_round(std::uint64_t version) {
  if (trial_.verdict() == learning::Verdict::worse) return roll_back();
  const std::int64_t now_ms = now_.time_since_epoch().count();
  const bool is_first = newer_.version == 0;
  if (is_first ? learner_->examples() < options_.trial.min_examples
               : now_ms - newer_.taken_ms < options_.compare_for.count())
    return std::nullopt;
  Kept current{.version = version, .taken_ms = now_ms, .state = learner_->save()};
  compare_with(is_first ? current : std::move(newer_));
  newer_ = std::move(current);
  return std::nullopt;
}

ClickTrainer::RollBack ClickTrainer::roll_back() {
  RollBack done{.to = reference_.version,
                .examples = compared_,
                .worse_by = trial_.mean_difference(),
                .sure_of = trial_.lower_bound(),
                .left = served_.quality(),
                .taken = previous_.quality()};
  // What was kept since is of the same making.
  newer_ = reference_;
  newer_.taken_ms = now_.time_since_epoch().count();
  compare_with(reference_);
  if (auto learner = learner_of(reference_)) learner_.emplace(std::move(*learner));
  return done;
}

void ClickTrainer::compare_with(Kept kept) {
  const auto learner = learner_of(kept);
  reference_ = std::move(kept);
  reference_model_ = learner ? learner->model() : nullptr;
  trial_ = learning::VersionTrial(options_.trial);
  served_ = learning::QualityWindow();
  previous_ = learning::QualityWindow();
  compared_ = 0;
}

Result<learning::Learner> ClickTrainer::learner_of(const Kept& kept) const {
  return learning::Learner::load(spec_, options_.learner, kept.state);
}

WallTime ClickTrainer::waiting_since() const { return clicks_.oldest().value_or(now_); }

std::string ClickTrainer::save() const {
  Saving saving;
  saving.put(now_);
  saving.put(clicks_.delays());
  saving.put(trial_.state());
  saving.put(compared_);
  for (const auto* kept : {&reference_, &newer_}) {
    saving.put(kept->version);
    saving.put(kept->taken_ms);
    saving.text(kept->state);
  }
  saving.text(learner_->save());
  saving.put(std::uint64_t{shown_.order().size()});
  for (const auto identity : shown_.order()) saving.put(Shown{identity, *shown_.find(identity)});
  return std::move(saving.out);
}

Result<void> ClickTrainer::load(std::string_view bytes) {
  Loading loading(bytes);
  Kept reference, newer;
  std::string state;
  learning::VersionTrial::State trial;
  std::uint64_t compared = 0, count = 0;
  bool is_whole = loading.take(now_) && loading.take(recalled_delays_) && loading.take(trial) && loading.take(compared);
  for (auto* kept : {&reference, &newer})
    is_whole = is_whole && loading.take(kept->version) && loading.take(kept->taken_ms) && loading.text(kept->state);
  is_whole = is_whole && loading.text(state) && loading.take(count);
  recalled_shown_.clear();
  for (Shown one{}; is_whole && count > 0; --count) {
    is_whole = loading.take(one);
    recalled_shown_.add(one.identity, one.at);
  }
  if (!is_whole || !loading.is_at_end()) return Error::give_up("what was learned is damaged");
  auto learner = learning::Learner::load(spec_, options_.learner, state);
  if (!learner) return learner.error();
  learner_.emplace(std::move(*learner));
  if (reference.version != 0) compare_with(std::move(reference));
  newer_ = std::move(newer);
  trial_.restore(trial);
  compared_ = compared;
  clicks_.restore(recalled_delays_);
  return {};
}

void ClickTrainer::begin_recall() { is_recalling_ = true; }

void ClickTrainer::end_recall() {
  clicks_.advance(now_);
  clicks_.restore(recalled_delays_);
  std::swap(shown_, recalled_shown_);
  recalled_shown_.clear();
  is_recalling_ = false;
}

}  // namespace marquee::serving
