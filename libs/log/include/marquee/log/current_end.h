// Where a log ends now.
#pragma once

#include "marquee/log/event_log.h"

namespace marquee::log {

/// A log that is somewhere else, whose end() is a moment old.
class FarLog {
 public:
  virtual ~FarLog() = default;
  /// EventLog::end() as of now. Error (Action::retry) where what keeps the log does not answer.
  [[nodiscard]] virtual Result<Offset> current_end(Partition partition) = 0;
};

/// end() as of now: of a FarLog asked, of any other log what it says.
[[nodiscard]] Result<Offset> current_end(EventLog& log, Partition partition);

}  // namespace marquee::log
