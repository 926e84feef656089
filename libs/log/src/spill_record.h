// A record as it waits in the near log: with where it belongs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "marquee/base/result.h"
#include "marquee/log/event_log.h"

namespace marquee::log {

struct SpillRecord {
  Partition partition = 0;   ///< Of the far log, as it was appended, and
  Partition partitions = 0;  ///< how many the far log had then.
  std::uint64_t key = 0;
  std::uint64_t ticket = 0;  ///< Of the append that gave it to the far log before; 0: it was never given.
  std::int64_t time_ms = 0;  ///< When it was put here (wall clock).
  std::string_view record;
};

/// Appends its bytes to `out`.
void encode(const SpillRecord& spilled, std::string& out);
/// Borrows from `bytes`. Action::give_up where they are none.
[[nodiscard]] Result<SpillRecord> decode_spill_record(std::string_view bytes);

}  // namespace marquee::log
