// SpillingLog: an EventLog in front of two others. What the far one (Kafka) does not acknowledge in time goes into the
// near one (this machine's disk), and from there to the far one, in order, once that answers again.
#pragma once

#include <memory>

#include "marquee/base/metrics.h"
#include "marquee/log/event_log.h"

namespace marquee::log {

struct SpillOptions {
  Millis after{2'000};  ///< An append that the far log has not acknowledged by then goes into the near log as well.
  Millis drain_within{10'000};  ///< How long close() waits for what can still be drained.
  std::uint64_t max_pending_bytes = std::uint64_t{256} << 20;  ///< Appends that no log has yet; beyond: Action::retry.
  std::uint64_t chunk_bytes = std::uint64_t{2} << 20;  ///< Drained at a time and lane; the far log must take so much.
  std::shared_ptr<const Clock> clock;                  ///< Null: the system's.
  std::shared_ptr<metrics::Registry> metrics;          ///< Null: none.
};

/// Appends go to the far log; everything but append(), reach() and close() is the far log's. It can be reached as long
/// as one of the two takes appends.
///
/// What it promises:
/// - An append succeeds only when the far log or the near one has it durably.
/// - Order. Records of one partition go through one lane (a partition of the near log; partition modulo lanes). While
///   something of a lane waits in the near log, later appends go behind it, and the far log gets them in the order in
///   which they were appended. Only appends that are under way side by side have no order between them, nor have those
///   that two processes take.
/// - What waits outlives the process: the next one that opens the same near log drains it before what comes after it
///   in that lane. It is let go from the near log after the far log's acknowledgement.
/// - Records keep the partition that they were appended to, also when the far log has more partitions at the next
///   start, so that a copy of a record lands beside it (see below). Everything that waits of the old layout is then
///   drained before anything newer of any lane is. A partition that the far log no longer has is chosen anew by the
///   record's key.
/// - A full near log, or a full disk, fails appends with Action::retry, as does max_pending_bytes.
///
/// What it cannot promise: that the far log holds a record once. An append that was not acknowledged in time may have
/// been kept all the same. Where its acknowledgement still comes, it is not drained again; where it never does (the
/// connection broke, this process died, or died between drain and note of it), the record is appended a second time, to
/// the same partition. Every event has an identity, and the loader drops the repeat if it comes within
/// loader.identity_window records of that partition. So the window must hold what a partition gets from other
/// collectors while this one alone is cut off.
///
/// The far log should keep trying by itself and in order (KafkaLogOptions::is_backed): a log that drops an append by
/// time and then takes a later one of the same partition would let that overtake.
class SpillingLog : public EventLog {
 public:
  /// Records that wait in the near log.
  [[nodiscard]] virtual std::uint64_t waiting() const = 0;
  /// False while appends are refused because neither log takes more.
  [[nodiscard]] virtual bool is_taking() const = 0;
};

/// The near log has no other user; its number of partitions is the number of lanes. Action::give_up where what waits
/// there cannot be read.
[[nodiscard]] Result<std::unique_ptr<SpillingLog>> open_spilling_log(std::unique_ptr<EventLog> far,
                                                                     std::unique_ptr<EventLog> near,
                                                                     SpillOptions options);

}  // namespace marquee::log
