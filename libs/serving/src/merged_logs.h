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

/// Of the logs as they stand at advance(): events first, so that the decision of every event that is given is there. At
/// equal times decisions come first. Not thread safe.
class MergedLogs {
 public:
  MergedLogs(log::EventLog& events, log::EventLog& decisions) : events_(events), decisions_(decisions) {}

  /// From what was appended at these times on, as far as the logs have it.
  [[nodiscard]] Result<void> begin(WallTime events_from, WallTime decisions_from);
  /// Takes in what was appended since. After an error all is as it was.
  [[nodiscard]] Result<void> advance();

  /// What a record says: an event, what was served by a decision, or nothing where it cannot be read. Text borrows from
  /// the log until the next call.
  using Record = std::variant<std::monostate, event::Event, std::vector<LoggedChoice>>;
  /// nullopt where all that advance() saw has been given.
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
  [[nodiscard]] Result<void> add_streams(log::EventLog& log, WallTime from, bool is_decisions);
  /// Whether the stream has a record.
  [[nodiscard]] static Result<bool> look(Stream& stream);

  log::EventLog& events_;
  log::EventLog& decisions_;
  std::vector<Stream> streams_;
};

}  // namespace marquee::serving
