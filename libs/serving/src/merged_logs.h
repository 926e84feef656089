// Several partitions of two logs as one stream, in the order of the times that their records tell.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "decision_record.h"
#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "marquee/event/event.h"
#include "marquee/log/event_log.h"

namespace marquee::serving {

/// How far two logs were read: by partition, what is next.
struct LogCut {
  std::vector<log::Offset> events, decisions;
  bool operator==(const LogCut&) const = default;
};

/// Between two cuts the order is that of the records alone, whenever they are read: by time, at equal times decisions
/// first, then by partition; in one partition by offset, each record at its time, or after the one before it if that is
/// later. What was before the first cut has no part in it.
/// Not thread safe.
class MergedLogs {
 public:
  MergedLogs(log::EventLog& events, log::EventLog& decisions) : events_(events), decisions_(decisions) {}

  /// What was appended at these times and later, as far as the logs have it.
  [[nodiscard]] Result<LogCut> cut_at(WallTime events_from, WallTime decisions_from) const;
  /// All that there is since begin(): events are looked at first, so that the decision of every event before the cut is
  /// there. Never before what advance() was given.
  [[nodiscard]] Result<LogCut> tip() const;

  /// Whether both logs reach back to it.
  [[nodiscard]] bool has(const LogCut& cut) const;

  void begin(const LogCut& from);
  /// From now on next() gives what is before `to`.
  void advance(const LogCut& to);
  /// Where begin() was and what was let go of by a log before it could be read.
  [[nodiscard]] bool has_lost() const { return has_lost_; }

  /// What a record says: an event of a served ad (by its external id, which is not verified), what was served by a
  /// decision, or nothing. Text borrows from the log until the next call.
  using Record = std::variant<std::monostate, event::Event, std::vector<LoggedChoice>>;
  /// nullopt where all before the cut has been given.
  [[nodiscard]] Result<std::optional<Record>> next();

 private:
  struct Stream {
    log::EventLog* log = nullptr;
    log::Partition partition = 0;
    bool is_decisions = false;
    log::Offset next = 0, end = 0;  ///< To be read, and up to where.
    log::Records records = {};
    std::size_t at = 0;        ///< In `records`, of the one that comes next:
    Record record = {};        ///< what it says,
    std::int64_t time_ms = 0;  ///< and when it was.
  };
  static void read_head(Stream& stream);
  void add_streams(log::EventLog& log, const std::vector<log::Offset>& from, bool is_decisions);
  /// Whether the stream has a record.
  [[nodiscard]] Result<bool> look(Stream& stream);

  log::EventLog& events_;
  log::EventLog& decisions_;
  std::vector<Stream> streams_;
  bool has_lost_ = false;
};

}  // namespace marquee::serving
