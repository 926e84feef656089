#include "marquee/log/current_end.h"

namespace marquee::log {

Result<Offset> current_end(EventLog& log, Partition partition) {
  auto* far = dynamic_cast<FarLog*>(&log);
  return far != nullptr ? far->current_end(partition) : log.end(partition);
}

}  // namespace marquee::log
