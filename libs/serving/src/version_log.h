// The log of the model's versions: how far both logs were read for each, and what came of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/learning/model_watch.h"
#include "marquee/log/event_log.h"
#include "merged_logs.h"

namespace marquee::serving {

/// A version that was left for one before it.
struct LeftVersion {
  std::uint64_t from = 0, to = 0, examples = 0;
  double worse_by = 0, sure_of = 0;
  double left_entropy = 0, taken_entropy = 0;  ///< Normalized, over the same impressions.
};

/// A stretch of both logs, from the cut of the round before it to its own.
struct Round {
  LogCut cut = {};
  std::int64_t at_ms = 0;
  std::uint64_t version = 0;  ///< That serves from then on.
  bool is_published = false;  ///< Whether that is a new one. If so:
  std::uint64_t hash = 0;     ///< learning::Learner::version.
  std::uint64_t examples = 0;
  learning::Quality quality = {};
  std::optional<LeftVersion> left = std::nullopt;
  /// Whether learning begins here, with nothing or with a file that has this hash; what waits is then recalled from
  /// `recall` on.
  bool is_begin = false;
  std::uint64_t base = 0;
  LogCut recall = {};
};

/// As a JSON object of one line.
[[nodiscard]] std::string write_round(const Round& round);
[[nodiscard]] Result<Round> read_round(std::string_view record);

/// Rounds in one partition of a log, each known by its offset. Not thread safe.
class VersionLog {
 public:
  explicit VersionLog(log::EventLog& log) : log_(log) {}

  /// Returns when it is durable.
  [[nodiscard]] Result<void> append(const Round& round);
  [[nodiscard]] log::Offset begin() const { return log_.begin(0); }
  [[nodiscard]] log::Offset end() const { return log_.end(0); }
  /// Some from `from` on; none at the end.
  [[nodiscard]] Result<std::vector<Round>> read(log::Offset from) const;
  /// The last one at which learning began, with its offset.
  [[nodiscard]] Result<std::optional<std::pair<Round, log::Offset>>> last_beginning() const;
  /// What is before may go, once it is old enough.
  void release(log::Offset before);

 private:
  log::EventLog& log_;
};

}  // namespace marquee::serving
