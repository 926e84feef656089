// Delivery as the logs tell it: what counts against budgets and caps, over restarts.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "counts_file.h"
#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "marquee/log/event_log.h"
#include "marquee/serving/sites.h"
#include "recent.h"
#include "seal.h"

namespace marquee::serving {

/// Reads the events' log and counts every served impression and click in its site's decider, once. The counts are
/// written to a file with the offsets that they are of, so a start reads them and the log from there: what was
/// acknowledged is counted, whatever ended the process before. What was decided and not yet seen is reserved again from
/// the decisions' log. So a restart, kill -9 included, adds nothing to the bound of Account and CapBook.
///
/// The file is written once a minute, much more often than the log lets go of what has landed (log.keep_confirmed).
/// Should records be gone all the same, the gap is logged. A file that is damaged is logged too, and nothing is served:
/// budgets would begin anew.
class DeliveryFeed {
 public:
  /// All must outlive it. `spent` is told which tokens the log has seen.
  DeliveryFeed(const Seal& seal, Sites& sites, log::EventLog& events, log::EventLog& decisions, Recent& spent,
               std::shared_ptr<const Clock> clock);
  ~DeliveryFeed() { stop(); }

  /// Begins on a thread of its own; a log that does not answer is waited for.
  void start(const std::string& path);
  void stop();
  /// Whether all that the logs had at the start is taken in.
  [[nodiscard]] bool is_ready() const { return is_ready_; }

 private:
  [[nodiscard]] Result<void> take_up();
  [[nodiscard]] Result<void> find_begin();
  [[nodiscard]] Result<void> catch_up();
  [[nodiscard]] Result<void> reserve_again();
  [[nodiscard]] Result<void> reserve_of(std::string_view record);
  /// Whether there was something.
  [[nodiscard]] Result<bool> read_some(log::Partition partition);
  void take(std::string_view record, bool is_counted_already);
  void run(const std::stop_token& stop);
  void follow(const std::stop_token& stop);
  void pause(const std::stop_token& stop);
  void write_counts();

  const Seal& seal_;
  Sites& sites_;
  log::EventLog& events_;
  log::EventLog& decisions_;
  Recent& spent_;
  Recent counted_;  ///< A token that two processes took is two records, and counts once.
  const std::shared_ptr<const Clock> clock_;
  std::string path_;
  std::vector<log::Offset> next_;        ///< By partition: to be read.
  std::vector<log::Offset> counted_to_;  ///< What is before was in the file that was read.
  std::atomic<bool> is_ready_ = false;
  std::jthread thread_;
};

}  // namespace marquee::serving
