// Delivery as the logs tell it: what counts against budgets and caps, over restarts.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "counts_file.h"
#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "marquee/decision/request.h"
#include "marquee/log/event_log.h"
#include "marquee/serving/decision_server.h"
#include "marquee/serving/sites.h"
#include "recent.h"
#include "seal.h"

namespace marquee::serving {

/// Reads the events' log and counts every served impression and click in its site's decider, once. The counts are
/// written to a file with the offsets that they are of, so a start reads them and the log from there: what was
/// acknowledged is counted, whatever ended the process before. What was decided and not yet seen is reserved again from
/// the decisions' log. So a restart, kill -9 included, adds nothing to the bound of Account and CapBook.
///
/// Where others decide, too, it goes on to read the decisions' log and reserves what they took, each decision before
/// its impression. Once a second it asks both logs where they end: until it has read up to there it is not ready, nor
/// when that was more than kStale ago.
///
/// The file is written once a minute, much more often than the log lets go of what has landed (log.keep_confirmed).
/// Should records be gone all the same, the gap is logged. A file that is damaged is logged too, and nothing is served:
/// budgets would begin anew.
class DeliveryFeed {
 public:
  /// How old the view of the logs may be by which this process decides.
  static constexpr Millis kStale{5'000};

  /// All must outlive it. `spent` is told which tokens the log has seen.
  DeliveryFeed(const Seal& seal, Sites& sites, const ServingLogs& logs, Recent& spent,
               std::shared_ptr<const Clock> clock);
  ~DeliveryFeed() { stop(); }

  /// Begins on a thread of its own; a log that does not answer is waited for.
  void start(const std::string& path);
  void stop();
  /// Whether what the logs have is taken in.
  [[nodiscard]] bool is_ready() const;

  /// Writes the counts as they are now, and returns once the file has them. Action::retry where that takes long.
  [[nodiscard]] Result<void> save();

  /// Before a decision that this process makes is appended.
  void announce(const decision::DecisionId& id);
  /// When it could not be. False where the log has told of it all the same.
  [[nodiscard]] bool take_back(const decision::DecisionId& id);

 private:
  [[nodiscard]] Result<void> take_up();
  [[nodiscard]] Result<void> find_begin();
  /// Up to where the logs end now.
  [[nodiscard]] Result<void> catch_up();
  [[nodiscard]] Result<void> catch_up_decisions();
  /// What the logs have at hand. Whether there was something.
  [[nodiscard]] Result<bool> read_more();
  void take_events(log::Partition partition, const log::Records& records);
  void take_event(std::string_view record, bool is_counted_already);
  void take_decision(std::string_view record);
  void run(const std::stop_token& stop);
  void follow(const std::stop_token& stop);
  void pause(const std::stop_token& stop);
  bool write_counts();
  [[nodiscard]] std::int64_t now() const { return clock_->now().time_since_epoch().count(); }

  const Seal& seal_;
  Sites& sites_;
  log::EventLog& events_;
  log::EventLog& decisions_;
  const bool are_shared_;
  Recent& spent_;
  Recent counted_;  ///< A token that two processes took is two records, and counts once.
  const std::shared_ptr<const Clock> clock_;
  std::string path_;
  std::vector<log::Offset> next_;            ///< By partition: to be read.
  std::vector<log::Offset> counted_to_;      ///< What is before was in the file that was read.
  std::vector<log::Offset> next_decisions_;  ///< By partition of the decisions' log: to be read.
  std::mutex mutex_;
  std::unordered_set<std::string> own_;  ///< Decisions of this process that the log has not told of. Guarded by mutex_.
  std::atomic<bool> has_caught_up_ = false;
  std::atomic<std::uint64_t> saves_asked_ = 0, saves_done_ = 0;    ///< Each save() is a number.
  std::atomic<std::chrono::steady_clock::time_point> fresh_at_{};  ///< All that the logs had then is taken in.
  std::jthread thread_;
};

}  // namespace marquee::serving
