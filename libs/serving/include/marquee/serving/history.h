// Learning from what the store has, rather than from the logs as they grow.
#pragma once

#include <cstdint>
#include <string>

#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "marquee/clickhouse/client.h"
#include "marquee/learning/model_watch.h"
#include "marquee/log/event_log.h"
#include "marquee/serving/click_learner.h"

namespace marquee::serving {

struct HistoryLearned {
  std::uint64_t impressions = 0, passed_over = 0;  ///< Learned; those whose decision is not known.
  std::uint64_t waiting = 0;                       ///< Whose click window was not over at the end.
  double clicks = 0;
  std::uint64_t hash = 0;  ///< learning::Learner::version.
  learning::Quality quality = {};
  WallTime until{};  ///< Of the last impression or click.
};

/// Learns from marquee.decisions and marquee.events, from `from` to before `to`, what reading both logs in one go would
/// teach, bit for bit, and writes it to `path`: where that is `model_path`.history, the learner of that file takes it
/// up and goes on with what the logs have after it. `to` must be long enough ago for all to have landed.
[[nodiscard]] Result<HistoryLearned> learn_history(const TrainingOptions& options, clickhouse::Client& store,
                                                   WallTime from, WallTime to, const std::string& path);

/// The same from both logs, as far as they reach back.
[[nodiscard]] Result<HistoryLearned> learn_logs(const TrainingOptions& options, log::EventLog& events,
                                                log::EventLog& decisions, WallTime from, const std::string& path);

struct VersionsRepeated {
  std::uint64_t versions = 0, rolled_back = 0;
  std::uint64_t first = 0, last = 0;  ///< Their numbers.
  std::uint64_t different = 0;        ///< The first that came out otherwise than it is recorded; 0: none.
};

/// All versions since learning last began (ClickLearner), out of the logs again. Action::reject where these do not
/// reach back so far. `model_path`: where the learner keeps its model.
[[nodiscard]] Result<VersionsRepeated> repeat_versions(const TrainingOptions& options, log::EventLog& events,
                                                       log::EventLog& decisions, log::EventLog& versions,
                                                       const std::string& model_path);

/// Where the learner that keeps its model at `model_path` looks for it.
[[nodiscard]] std::string history_path(const std::string& model_path);

}  // namespace marquee::serving
