#include "marquee/learning/learner.h"

#include <xxhash.h>

#include <algorithm>
#include <cmath>

#include "learned_state.h"
#include "logistic.h"

namespace marquee::learning {
namespace {

// A context that looks this much better or worse than the average is believed no further when exposure is counted.
constexpr double kMaxLift = 20;

// A refit costs some 1 us an ad; so many examples pay for it.
constexpr std::uint64_t kLeastExamplesPerRefit = 1'000;
constexpr std::uint64_t kExamplesPerRefitAndAd = 4;
// Precisions change slowly once there are many examples, and take a look at every slot.
constexpr double kGrowthPerEstimate = 1.05;

// A click's squared gradient is the information that it tells only on average over clicks and none; the Fisher
// information only where the prediction is right. Half of each holds the step of a first click, and counts ads that
// nobody clicks.
double information_of(double gradient, const Prediction& said) {
  const double fisher = said.click * (1 - said.attraction) * (1 - said.attraction) / (1 - said.click);
  return (gradient * gradient + fisher) / 2;
}

LearnerOptions within_bounds(LearnerOptions options) {
  options.slots_log2 = std::clamp(options.slots_log2, 10U, 26U);
  options.priors.site_rate = std::clamp(options.priors.site_rate, 1e-6, 0.5);
  return options;
}

}  // namespace

Prediction Model::predict(const Impression& impression) const {
  double sum = 0;
  for (const auto& row : *impression.rows) sum += row.x * weights[row.slot(column_value(row, impression.ad)) & mask];
  const double rate = priors.rate(impression.ad.path).mean;
  return predicted(sigmoid(logit(rate) + sum), examination.at(impression.position));
}

Learner::Learner(const FeatureSpec& spec, const LearnerOptions& options)
    : options_(within_bounds(options)),
      mask_((1U << options_.slots_log2) - 1),
      table_(std::size_t{1} << options_.slots_log2),
      precisions_(options_.ftrl, spec.terms().size()),
      priors_(options_.priors),
      fit_(options_.examination_clicks),
      head_{.spec = spec.fingerprint(), .slots_log2 = options_.slots_log2} {}

double Learner::logit_of_rows(const Impression& impression) const {
  double sum = 0;
  for (const auto& row : *impression.rows)
    sum += row.x * precisions_.weight(table_[row.slot(column_value(row, impression.ad)) & mask_]);
  return sum;
}

Prediction Learner::predict(const Impression& impression) const {
  const double rate = priors_.rate(impression.ad.path).mean;
  return predicted(sigmoid(logit(rate) + logit_of_rows(impression)), examination_.at(impression.position));
}

Prediction Learner::learn(const Impression& impression, double clicks) {
  const double rate = priors_.rate(impression.ad.path).mean;
  const auto said = predicted(sigmoid(logit(rate) + logit_of_rows(impression)), examination_.at(impression.position));
  learn_weights(impression, said, clicks);
  const double lift = std::clamp(said.attraction / rate, 1 / kMaxLift, kMaxLift);
  priors_.add(impression.ad.path, clicks, said.examination * lift);
  fit_.add(impression.ad.path, impression.position, clicks, lift);
  ++head_.examples;
  head_.clicks += clicks;
  head_.latest_s = std::max(head_.latest_s, impression.time_s);
  const auto due = std::max(kLeastExamplesPerRefit, kExamplesPerRefitAndAd * fit_.leaves().size());
  if (head_.examples - head_.refitted_at >= due) refit();
  return said;
}

void Learner::learn_weights(const Impression& impression, const Prediction& said, double clicks) {
  const double g = (said.click - clicks) * (1 - said.attraction) / (1 - said.click);
  const double information = information_of(g, said);
  for (const auto& row : *impression.rows) {
    auto& at = table_[row.slot(column_value(row, impression.ad)) & mask_];
    at.term = row.term;
    ftrl_step(at, precisions_.weight(at), static_cast<float>(g * row.x),
              static_cast<float>(information * row.x * row.x));
  }
}

void Learner::refit() {
  head_.refitted_at = head_.examples;
  const double passed_s = head_.decayed_s > 0 ? head_.latest_s - head_.decayed_s : 0;
  head_.decayed_s = head_.latest_s;
  if (options_.half_life_s > 0) {
    const double keep = std::exp2(-passed_s / options_.half_life_s);
    priors_.decay(keep);
    fit_.decay(keep);
  }
  if (options_.weight_half_life_s > 0 && passed_s > 0) {
    const auto keep = static_cast<float>(std::exp2(-passed_s / options_.weight_half_life_s));
    for (auto& at : table_)
      if (at.n > 0) ftrl_forget(at, precisions_.of(at.term), options_.ftrl.l1, keep);
  }
  const auto examples = static_cast<double>(head_.examples);
  if (examples >= kGrowthPerEstimate * static_cast<double>(head_.estimated_at)) {
    head_.estimated_at = head_.examples;
    precisions_.estimate(table_);
  }
  fit_.refit(priors_, examination_);
}

std::string Learner::state() const { return state_bytes({head_, table_, precisions_, priors_, examination_, fit_}); }

std::uint64_t Learner::version() const {
  const auto bytes = state();
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::shared_ptr<const Model> Learner::model() const {
  auto model = std::make_shared<Model>();
  model->spec = head_.spec;
  model->version = version();
  model->examples = head_.examples;
  model->clicks = head_.clicks;
  model->mask = mask_;
  model->weights.reserve(table_.size() + kLongestRow);
  model->information.reserve(table_.size());
  for (const auto& at : table_) {
    model->weights.push_back(precisions_.weight(at));
    model->information.push_back(at.n);
  }
  for (std::size_t i = 0; i < kLongestRow; ++i) model->weights.push_back(model->weights[i & mask_]);
  model->priors = priors_;
  model->examination = examination_;
  return model;
}

std::string Learner::save() const { return packed(state()); }

Result<Learner> Learner::load(const FeatureSpec& spec, const LearnerOptions& options, std::string_view bytes) {
  const auto state = unpacked(bytes);
  if (!state) return state.error();
  Learner learner(spec, options);
  const auto read = read_state(*state, {learner.head_, learner.table_, learner.precisions_, learner.priors_,
                                        learner.examination_, learner.fit_});
  if (!read) return read.error();
  return learner;
}

}  // namespace marquee::learning
