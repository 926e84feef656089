// Journeys: what each person did in a day, kept beside the events for reports that need the order of what happened, and
// nothing else of it (sql/0014). A day that is over is made from its events in the background; a report reads whole
// days from here and all others from the events, in one query.
//
// A build of a day is a partition of its own, and holds only once marquee.journey_days names it, together with the
// state of the events that it was made from. Whatever changes a day's events (late ones, an erasure, an import, a
// rewind) changes that state, so that the day is read from its events until it has been made again: nobody has to tell.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "marquee/analytics/reports.h"
#include "marquee/base/result.h"
#include "marquee/clickhouse/client.h"

namespace marquee::analytics {

/// A day (the id of its partition, "20260131") that has events.
struct JourneyDay {
  std::string day;
  std::string state;         ///< Of its events' parts; merges leave it as it is.
  std::uint64_t events = 0;  ///< Rows.
  std::uint64_t build = 0;   ///< That is whole and of this state; 0: none.
};

/// Makes journeys, and removes them. Of a store on one machine. Thread safe.
class JourneyWriter {
 public:
  explicit JourneyWriter(clickhouse::Client& store) : store_(store) {}

  /// Every day that has events, in order.
  [[nodiscard]] Result<std::vector<JourneyDay>> days();
  /// Makes the day's journeys under a number from builds(). False, and the
  /// day goes on being read from its events, where these changed meanwhile or are being changed. Action::reject where
  /// the events are such that journeys cannot tell them: as long as they are the same. May be cut off at any point.
  [[nodiscard]] Result<bool> write(std::string_view day, std::uint64_t build);
  /// Ends a write() of this number that is under way, which then fails.
  void interrupt(std::uint64_t build);
  struct Builds {
    std::vector<std::pair<std::string, std::uint64_t>> written;  ///< Of which there are rows: days and numbers.
    std::uint64_t next_build = 1;  ///< Greater than all before, and drawn, so that two that make do not share one.
  };
  [[nodiscard]] Result<Builds> builds();
  [[nodiscard]] Result<void> remove(std::string_view day, std::uint64_t build);

 private:
  clickhouse::Client& store_;
};

}  // namespace marquee::analytics
