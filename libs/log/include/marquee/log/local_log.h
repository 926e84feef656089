// LocalLog: the EventLog of one machine, on an embedded store, with group commit.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "marquee/base/metrics.h"
#include "marquee/log/event_log.h"

namespace marquee::log {

struct LocalLogOptions {
  std::string directory;
  Partition partitions = 1;                          ///< Fixed when the log is made; another number later is refused.
  std::uint64_t max_bytes = std::uint64_t{8} << 30;  ///< Kept records; beyond: appends fail with Action::retry.
  std::uint64_t min_free_disk_bytes = std::uint64_t{1}
                                      << 30;  ///< Less free on the disk: the same, before the disk is full.
  std::uint64_t keep_confirmed_ms =
      15 * 60 * 1000;  ///< How long confirmed records are kept for repair after power loss.
  std::uint64_t max_pending_bytes = std::uint64_t{256} << 20;  ///< Appends waiting for the disk; beyond: Action::retry.
  std::uint64_t recent_bytes = std::uint64_t{64} << 20;   ///< Newest records kept in memory, for who reads at the tip.
  std::uint64_t buffer_bytes = std::uint64_t{256} << 20;  ///< Memory for what is durable and not yet in a table file.
  std::string when_full =
      "the log has reached log.max_size; the store is too slow or away";  ///< What senders are told.
  bool sync = true;  ///< fsync each group; false only in benchmarks.
  /// 0: an append is acknowledged after fsync. Else once the operating system has it, which the death of the process
  /// does not undo, and fsync follows within so long: what the machine's loss may take.
  std::uint64_t sync_behind_ms = 0;
  std::shared_ptr<const Clock> clock;                ///< Null: the system's.
  std::map<std::string, std::string> metric_labels;  ///< Tell its metrics from those of another log.
  std::shared_ptr<metrics::Registry> metrics;        ///< Null: none.
};

/// Opens or makes the log. A torn tail (after a crash) is cut back to the last record that is whole and was
/// acknowledged. Damage in a table file is Action::give_up, here or from read(). Damage in the middle of the
/// write-ahead log, which no crash leaves but a disk may, is cut off like a torn tail, and with it what was
/// acknowledged after it and not yet in a table file.
[[nodiscard]] Result<std::unique_ptr<EventLog>> open_local_log(LocalLogOptions options);

}  // namespace marquee::log
