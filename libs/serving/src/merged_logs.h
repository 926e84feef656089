// Several partitions of two logs as one stream, in the order of the times that their records tell.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "marquee/log/event_log.h"

namespace marquee::serving {

/// Of the logs as they stand at advance(): events first, so that the decision of every event that is given is there. At
/// equal times decisions come first. Not thread safe.
class MergedLogs {
 public:
  MergedLogs(log::EventLog& events, log::EventLog& decisions) : events_(events), decisions_(decisions) {}

  /// From what was appended at these times on, as far as the logs have it.
  [[nodiscard]] Result<void> begin(WallTime events_from, WallTime decisions_from);
  /// Takes in what was appended since.
  void advance();

  struct Record {
    bool is_decision = false;
    std::string_view bytes;  ///< Until the next call.
  };
  /// nullopt where all that advance() saw has been given.
  [[nodiscard]] Result<std::optional<Record>> next();

 private:
  struct Stream {
    log::EventLog* log = nullptr;
    log::Partition partition = 0;
    bool is_decisions = false;
    log::Offset next = 0, end = 0;  ///< To be read, and up to where.
    log::Records records = {};
    std::size_t at = 0;        ///< In `records`.
    std::int64_t time_ms = 0;  ///< Of the record there.
  };
  [[nodiscard]] Result<void> add_streams(log::EventLog& log, WallTime from, bool is_decisions);
  /// Whether the stream has a record.
  [[nodiscard]] static Result<bool> look(Stream& stream);

  log::EventLog& events_;
  log::EventLog& decisions_;
  std::vector<Stream> streams_;
};

}  // namespace marquee::serving
