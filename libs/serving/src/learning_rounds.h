// Learning round by round, live and again.
#pragma once

#include <cstdint>
#include <deque>
#include <stop_token>
#include <string>

#include "click_trainer.h"
#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "merged_logs.h"
#include "version_log.h"

namespace marquee::serving {

/// How far the clocks of several processes may be apart.
inline constexpr Millis kClockError{60'000};

/// What a trainer makes of both logs, round after round. Not thread safe.
class LearningRounds {
 public:
  LearningRounds(const TrainingOptions& options, const learning::FeatureSpec& features, log::EventLog& events,
                 log::EventLog& decisions);

  /// Where a recorded beginning says, `at` of the log of versions: with nothing, or with what was `saved`. False where
  /// `stop` came first. Once.
  [[nodiscard]] Result<bool> begin(const Round& begin, log::Offset at, std::string_view saved,
                                   const std::stop_token& stop);
  /// With what save() gave; then recall() each round from recall_round() to before next_round(), and end_recall().
  /// Once.
  [[nodiscard]] Result<void> begin_with(std::string_view saved);
  /// False where `stop` came first.
  [[nodiscard]] Result<bool> recall(const LogCut& to, const std::stop_token& stop) { return take(to, stop); }
  void end_recall() { trainer_.end_recall(); }

  /// Reads both logs up to `to`. False where `stop` came first; an error may pass. Call again until it is true.
  [[nodiscard]] Result<bool> take(const LogCut& to, const std::stop_token& stop);
  /// What is to be recorded of the round that take() has read: a new version where one is due.
  [[nodiscard]] Round end(std::int64_t at_ms);
  /// That it is recorded, as `at` of the log of versions.
  void recorded(const Round& round, log::Offset at);

  /// A recorded round again: whether the same came of it. nullopt where `stop` came first.
  [[nodiscard]] Result<std::optional<bool>> repeat(const Round& round, log::Offset at, const std::stop_token& stop);

  /// For begin() and begin_with().
  [[nodiscard]] std::string save() const;
  /// ClickTrainer::save out of save().
  [[nodiscard]] static Result<std::string> trained_of(std::string_view saved);
  /// save() of what a trainer has learned up to `cut`.
  [[nodiscard]] static std::string saved_of(const LogCut& recall, const LogCut& cut, std::string_view trained);

  /// Whether `round` is the one before next_round(), for who has begin_with() from a file.
  [[nodiscard]] bool was_last(const Round& round) const;
  /// Whether what begin_with() was given was learned otherwise: what comes now would not come out of the rounds so far.
  [[nodiscard]] bool has_other_options() const { return has_other_options_; }

  [[nodiscard]] const ClickTrainer& trainer() const { return trainer_; }
  [[nodiscard]] MergedLogs& logs() { return logs_; }
  [[nodiscard]] const LogCut& cut() const { return cut_; }
  [[nodiscard]] std::uint64_t version() const { return version_; }
  /// Of the log of versions: the round after the last one, and the one from whose cut on what waits is recalled.
  [[nodiscard]] log::Offset next_round() const { return next_round_; }
  [[nodiscard]] log::Offset recall_round() const { return recall_point().at; }
  [[nodiscard]] const LogCut& recall_cut() const { return recall_point().cut; }

 private:
  /// A round's end, from which on the logs may be read to recall what waits.
  struct Point {
    log::Offset at = 0;
    LogCut cut;
    WallTime now{};
  };
  [[nodiscard]] const Point& recall_point() const;
  void remember(log::Offset at);

  const std::uint64_t options_;  ///< Their hash.
  bool has_other_options_ = false;
  ClickTrainer trainer_;
  MergedLogs logs_;
  LogCut cut_;                  ///< Of the last round.
  LogCut taking_;               ///< Of the round that is being read.
  std::uint64_t version_ = 0;   ///< That serves,
  std::uint64_t examples_ = 0;  ///< and what it had learned.
  log::Offset next_round_ = 0;
  std::uint64_t last_round_ = 0;  ///< Hash of the one before.
  std::deque<Point> points_;
};

}  // namespace marquee::serving
