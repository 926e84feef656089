// Decisions and what became of them, as the store has them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "marquee/clickhouse/client.h"
#include "merged_logs.h"

namespace marquee::serving {

/// In the order in which MergedLogs would give them between two cuts. Reads a stretch of time at once. Not thread safe.
class HistoryReader {
 public:
  /// Events from `from` to before `to`, decisions as much earlier as their impressions may come.
  HistoryReader(clickhouse::Client& store, WallTime from, WallTime to);

  /// nullopt at the end. Text borrows from the reader until the next call.
  [[nodiscard]] Result<std::optional<MergedLogs::Record>> next();
  /// By partition of the events' log: what comes after the last event.
  [[nodiscard]] const std::vector<log::Offset>& after() const { return after_; }

 private:
  struct Event {
    event::Event event;
    std::int64_t time_ms = 0;  ///< No less than that of the one before it in its partition.
  };
  [[nodiscard]] Result<void> read_stretch();
  /// To the next decision. A stretch without any is longer than an impression or a click may come after its decision.
  [[nodiscard]] Result<void> pass_gap();
  [[nodiscard]] Result<void> read_decisions(WallTime from, WallTime to);
  [[nodiscard]] Result<void> read_events(WallTime from, WallTime to);

  clickhouse::Client& store_;
  WallTime next_;  ///< What is to be read.
  const WallTime to_;
  std::string decision_bytes_, event_bytes_;
  std::vector<std::vector<LoggedChoice>> decisions_;
  std::vector<Event> events_;
  std::size_t decision_ = 0, event_ = 0;
  std::vector<std::int64_t> latest_ms_;  ///< By partition.
  std::vector<log::Offset> after_;
  bool has_begun_ = false, is_in_gap_ = false;
};

}  // namespace marquee::serving
