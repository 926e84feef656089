#include "marquee/serving/history.h"

#include "click_trainer.h"
#include "history_model.h"
#include "history_reader.h"
#include "learning_rounds.h"
#include "marquee/serving/decision_server.h"
#include "model_features.h"
#include "version_log.h"

namespace marquee::serving {
namespace {

template <class Source>
Result<void> take_all(Source& source, ClickTrainer& trainer) {
  for (;;) {
    const auto record = source.next();
    if (!record) return record.error();
    if (!*record) return {};
    trainer.take(**record);
  }
}

Result<HistoryLearned> written(const ClickTrainer& trainer, std::vector<log::Offset> events, const std::string& path) {
  const auto& counts = trainer.counts();
  if (auto done =
          write_history_model(path, {.until = trainer.now(), .events = std::move(events), .trained = trainer.save()});
      !done)
    return done.error();
  return HistoryLearned{.impressions = counts.impressions,
                        .passed_over = counts.passed_over,
                        .waiting = trainer.waiting(),
                        .clicks = counts.clicks,
                        .hash = trainer.learner().version(),
                        .quality = trainer.latest(),
                        .until = trainer.now()};
}

}  // namespace

Result<HistoryLearned> learn_history(const TrainingOptions& options, clickhouse::Client& store, WallTime from,
                                     WallTime to, const std::string& path) {
  const auto spec = learning::FeatureSpec::parse(model_feature_options());
  if (!spec) return spec.error();
  ClickTrainer trainer(options, *spec);
  HistoryReader reader(store, from, to);
  if (auto taken = take_all(reader, trainer); !taken) return taken.error();
  return written(trainer, reader.after(), path);
}

Result<HistoryLearned> learn_logs(const TrainingOptions& options, log::EventLog& events, log::EventLog& decisions,
                                  WallTime from, const std::string& path) {
  const auto spec = learning::FeatureSpec::parse(model_feature_options());
  if (!spec) return spec.error();
  ClickTrainer trainer(options, *spec);
  MergedLogs logs(events, decisions);
  const auto cut = logs.cut_at(from, from - kImpressionLife);
  if (!cut) return cut.error();
  logs.begin(*cut);
  const auto tip = logs.tip();
  if (!tip) return tip.error();
  logs.advance(*tip);
  if (auto taken = take_all(logs, trainer); !taken) return taken.error();
  return written(trainer, tip->events, path);
}

Result<VersionsRepeated> repeat_versions(const TrainingOptions& options, log::EventLog& events,
                                         log::EventLog& decisions, log::EventLog& versions,
                                         const std::string& model_path) {
  const auto spec = learning::FeatureSpec::parse(model_feature_options());
  if (!spec) return spec.error();
  const VersionLog log(versions);
  const auto beginning = log.last_beginning();
  if (!beginning) return beginning.error();
  if (!*beginning) return Error::reject("no version is recorded here");
  const auto& [begin, at] = **beginning;
  const auto base = read_base(model_path, begin.base);
  if (!base) return base.error();
  LearningRounds rounds(options, *spec, events, decisions);
  if (!rounds.logs().has(begin.recall)) return Error::reject("the logs do not reach back to where learning began");
  if (const auto begun = rounds.begin(begin, at, *base, {}); !begun) return begun.error();
  VersionsRepeated done{.versions = 1, .first = begin.version, .last = begin.version};
  if (rounds.trainer().learner().version() != begin.hash) done.different = begin.version;
  for (auto next = at + 1; next < log.end();) {
    const auto recorded = log.read(next);
    if (!recorded) return recorded.error();
    for (const auto& round : *recorded) {
      const auto is_same = rounds.repeat(round, next++, {});
      if (!is_same) return is_same.error();
      if (!round.is_published) continue;
      ++done.versions;
      done.rolled_back += round.left ? 1 : 0;
      done.last = round.version;
      if (is_same->has_value() && !**is_same && done.different == 0) done.different = round.version;
    }
  }
  return done;
}

std::string history_path(const std::string& model_path) { return model_path + ".history"; }

}  // namespace marquee::serving
