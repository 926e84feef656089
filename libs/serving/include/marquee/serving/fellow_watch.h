// Which other processes decide for the same sites.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <thread>

#include "marquee/base/metrics.h"
#include "marquee/base/time.h"
#include "marquee/decision/fellows.h"
#include "marquee/log/event_log.h"

namespace marquee::serving {

/// Every decider writes a sign of life into a log of theirs, twice a second, and reads those of all. One that was not
/// heard of for kLost is taken for gone, as is one that says so when it stops. Who has not heard its own sign for
/// kSilent (less than half of that) does not count on being known to the others: it must not decide. So nobody decides
/// whom another has given up.
/// Times are those of reading, by a clock that is never set. One thread of its own.
class FellowWatch {
 public:
  static constexpr Millis kBeat{500}, kSilent{4'000}, kLost{10'000};

  /// `log`, of one partition, and `fellows` must outlive it.
  FellowWatch(log::EventLog& log, decision::SharedFellows& fellows, std::shared_ptr<metrics::Registry> metrics);
  ~FellowWatch() { stop(); }

  void start();
  /// Says good-bye.
  void stop();
  /// Whether the others know of this one, and it of them.
  [[nodiscard]] bool is_known() const;

 private:
  using SteadyClock = std::chrono::steady_clock;
  void run(const std::stop_token& stop);
  [[nodiscard]] Result<void> look();
  void hear(std::string_view record, SteadyClock::time_point now);
  void count(SteadyClock::time_point now);
  void say(char what);

  log::EventLog& log_;
  decision::SharedFellows& fellows_;
  prometheus::Gauge* gauge_ = nullptr;
  const std::uint64_t id_;
  log::Offset next_ = 0;
  bool has_begun_ = false;
  std::map<std::uint64_t, SteadyClock::time_point> heard_;                            ///< When last, by id.
  std::atomic<SteadyClock::time_point> known_since_{SteadyClock::time_point::max()};  ///< max(): it is not.
  std::atomic<SteadyClock::time_point> own_heard_{SteadyClock::time_point()};
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;
};

}  // namespace marquee::serving
