#include "learning_rounds.h"

#include <xxhash.h>

#include <utility>

#include "marquee/serving/decision_server.h"
#include "saved_bytes.h"

namespace marquee::serving {
namespace {

void put(Saving& saving, const std::vector<log::Offset>& offsets) {
  saving.put(std::uint64_t{offsets.size()});
  for (const auto offset : offsets) saving.put(offset);
}

bool take(Loading& loading, std::vector<log::Offset>& offsets) {
  std::uint64_t count = 0;
  if (!loading.take(count)) return false;
  for (log::Offset offset = 0; count > 0; --count) {
    if (!loading.take(offset)) return false;
    offsets.push_back(offset);
  }
  return true;
}

bool take(Loading& loading, LogCut& cut) { return take(loading, cut.events) && take(loading, cut.decisions); }

/// Of what beside the logs decides what is learned.
std::uint64_t fingerprint(const TrainingOptions& options, const learning::FeatureSpec& features) {
  const auto& learner = options.learner;
  Saving saving;
  saving.put(features.fingerprint());
  saving.put(options.click_window);
  saving.put(options.compare_for);
  saving.put(options.trial);
  saving.put(learner.slots_log2);
  saving.put(learner.ftrl);
  saving.put(learner.priors);
  saving.put(learner.examination_clicks);
  saving.put(learner.half_life_s);
  saving.put(learner.weight_half_life_s);
  return XXH3_64bits(saving.out.data(), saving.out.size());
}

std::uint64_t hash_of_round(const Round& round) {
  const auto text = write_round(round);
  return XXH3_64bits(text.data(), text.size());
}

/// What save() gives.
struct Parts {
  std::uint64_t options = 0;
  std::uint64_t last_round = 0;
  std::uint64_t version = 0;
  log::Offset next_round = 0, recall_round = 0;
  LogCut recall = {}, cut = {};
  std::string trained = {};
};

Result<Parts> parts_of(std::string_view saved) {
  Loading loading(saved);
  Parts parts;
  const bool is_whole = loading.take(parts.options) && loading.take(parts.last_round) && loading.take(parts.version) &&
                        loading.take(parts.next_round) && loading.take(parts.recall_round) &&
                        take(loading, parts.recall) && take(loading, parts.cut) && loading.text(parts.trained);
  if (!is_whole || !loading.is_at_end()) return Error::give_up("what was learned is damaged");
  return parts;
}

std::string write(const Parts& parts) {
  Saving saving;
  saving.put(parts.options);
  saving.put(parts.last_round);
  saving.put(parts.version);
  saving.put(parts.next_round);
  saving.put(parts.recall_round);
  put(saving, parts.recall.events);
  put(saving, parts.recall.decisions);
  put(saving, parts.cut.events);
  put(saving, parts.cut.decisions);
  saving.text(parts.trained);
  return std::move(saving.out);
}

}  // namespace

LearningRounds::LearningRounds(const TrainingOptions& options, const learning::FeatureSpec& features,
                               log::EventLog& events, log::EventLog& decisions)
    : options_(fingerprint(options, features)), trainer_(options, features), logs_(events, decisions) {}

Result<bool> LearningRounds::begin(const Round& begin, log::Offset at, std::string_view saved,
                                   const std::stop_token& stop) {
  if (!saved.empty()) {
    if (auto loaded = begin_with(saved); !loaded) return loaded.error();
    const auto recalled = recall(begin.cut, stop);
    if (!recalled || !*recalled) return recalled;
    end_recall();
  } else {
    logs_.begin(begin.cut);
  }
  cut_ = taking_ = begin.cut;
  version_ = begin.version;
  examples_ = trainer_.learner().examples();
  next_round_ = at + 1;
  last_round_ = hash_of_round(begin);
  has_other_options_ = false;  // From here on these hold.
  points_ = {{.at = at, .cut = begin.recall, .now = trainer_.now()}};
  return true;
}

std::string LearningRounds::save() const {
  return write({.options = options_,
                .last_round = last_round_,
                .version = version_,
                .next_round = next_round_,
                .recall_round = recall_round(),
                .recall = recall_cut(),
                .cut = cut_,
                .trained = trainer_.save()});
}

std::string LearningRounds::saved_of(const LogCut& recall, const LogCut& cut, std::string_view trained) {
  return write({.recall = recall, .cut = cut, .trained = std::string(trained)});
}

Result<void> LearningRounds::begin_with(std::string_view saved) {
  auto parts = parts_of(saved);
  if (!parts) return parts.error();
  if (auto loaded = trainer_.load(parts->trained); !loaded) return loaded;
  has_other_options_ = parts->options != options_;
  version_ = parts->version;
  next_round_ = parts->next_round;
  last_round_ = parts->last_round;
  examples_ = trainer_.learner().examples();
  cut_ = taking_ = parts->cut;
  logs_.begin(parts->recall);
  points_ = {{.at = parts->recall_round, .cut = parts->recall, .now = {}}};
  trainer_.begin_recall();
  return {};
}

Result<std::string> LearningRounds::trained_of(std::string_view saved) {
  auto parts = parts_of(saved);
  if (!parts) return parts.error();
  return std::move(parts->trained);
}

Result<bool> LearningRounds::take(const LogCut& to, const std::stop_token& stop) {
  taking_ = to;
  logs_.advance(to);
  while (!stop.stop_requested()) {
    const auto record = logs_.next();
    if (!record) return record.error();
    if (!*record) return true;
    trainer_.take(**record);
  }
  return false;
}

Round LearningRounds::end(std::int64_t at_ms) {
  Round round{.cut = taking_, .at_ms = at_ms, .version = version_, .quality = trainer_.latest()};
  const auto left = trainer_.end_round(version_ + 1);
  round.is_published = left || trainer_.learner().examples() != examples_;
  if (!round.is_published) return round;
  ++round.version;
  round.hash = trainer_.learner().version();
  round.examples = trainer_.learner().examples();
  if (left)
    round.left = LeftVersion{.from = version_,
                             .to = left->to,
                             .examples = left->examples,
                             .worse_by = left->worse_by,
                             .sure_of = left->sure_of,
                             .left_entropy = left->left.normalized_entropy,
                             .taken_entropy = left->taken.normalized_entropy};
  return round;
}

void LearningRounds::recorded(const Round& round, log::Offset at) {
  cut_ = round.cut;
  version_ = round.version;
  examples_ = trainer_.learner().examples();
  next_round_ = at + 1;
  last_round_ = hash_of_round(round);
  remember(at);
}

bool LearningRounds::was_last(const Round& round) const { return hash_of_round(round) == last_round_; }

void LearningRounds::remember(log::Offset at) {
  points_.push_back({.at = at, .cut = cut_, .now = trainer_.now()});
  // The last one that is old enough is the first that is kept.
  const auto from = trainer_.waiting_since() - kImpressionLife - kClockError;
  while (points_.size() > 1 && points_[1].now <= from) points_.pop_front();
}

const LearningRounds::Point& LearningRounds::recall_point() const { return points_.front(); }

Result<std::optional<bool>> LearningRounds::repeat(const Round& round, log::Offset at, const std::stop_token& stop) {
  const auto taken = take(round.cut, stop);
  if (!taken) return taken.error();
  if (!*taken) return std::optional<bool>();
  const auto again = end(round.at_ms);
  recorded(round, at);
  return std::optional(again.version == round.version && again.hash == round.hash &&
                       again.left.has_value() == round.left.has_value());
}

}  // namespace marquee::serving
