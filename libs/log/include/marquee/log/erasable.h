// Records that are taken away out of a log while all offsets stay as they are.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "marquee/log/event_log.h"

namespace marquee::log {

/// What stands in the place of a record that was erased. No event and no decision begins like this.
inline constexpr std::string_view kErasedRecord{"\0erased", 7};
/// Readers pass such a record: it is none of theirs, and none that could not be read.
[[nodiscard]] inline bool is_erased(std::string_view record) { return record == kErasedRecord; }

/// What an erasure has done.
struct ErasedRecords {
  std::uint64_t records = 0;          ///< Erased by this call.
  std::uint64_t bytes_rewritten = 0;  ///< Of the groups that held them, and of the files that were written anew.
};

/// A log whose bytes are this process's to rewrite. Thread safe.
class ErasableLog {
 public:
  using IsWanted = std::function<bool(std::string_view record)>;
  virtual ~ErasableLog() = default;

  /// Puts kErasedRecord in the place of every record before `before` of which `is_wanted` (called on this thread) says
  /// so, durably, and writes the files anew that held them: when it returns no file of the log has their bytes, nor
  /// those of any record before `before` that the log had let go of. Readers go on meanwhile; what they have read
  /// already they have. May be cut off and begun again at any point.
  [[nodiscard]] virtual Result<ErasedRecords> erase(Partition partition, Offset before, const IsWanted& is_wanted) = 0;
};

/// Action::reject of a log that cannot: Kafka keeps a record until the topic's retention lets it go.
[[nodiscard]] Result<ErasedRecords> erase_records(EventLog& log, Partition partition, Offset before,
                                                  const ErasableLog::IsWanted& is_wanted);

}  // namespace marquee::log
