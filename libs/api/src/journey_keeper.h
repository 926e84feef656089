// Journeys (analytics/journeys.h), made by themselves: of days that are over, once their events have been left alone.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>

#include "marquee/analytics/journeys.h"

namespace marquee::api {

struct JourneyKeeperOptions {
  bool is_enabled = true;                           ///< Else none are made; what is there goes once it is outdated.
  std::chrono::milliseconds refresh_every{60'000};  ///< Between looks; a day is made that is the same at two of them.
  std::function<bool()> is_store_ready;             ///< Before, nothing is looked at.
  /// Longer than a report may take: one that began with the build before reads it to its end.
  std::chrono::milliseconds outdated_for = std::chrono::minutes(3);
};

/// Works on a thread of its own, one day after another, until stop().
class JourneyKeeper {
 public:
  JourneyKeeper(JourneyKeeperOptions options, clickhouse::Client& store);
  ~JourneyKeeper() { stop(); }
  JourneyKeeper(const JourneyKeeper&) = delete;
  JourneyKeeper& operator=(const JourneyKeeper&) = delete;

  /// Ends what is under way, of which nothing holds.
  void stop();

 private:
  using Place = std::pair<std::string, std::uint64_t>;  ///< Day and build.

  void run(const std::stop_token& stop);
  [[nodiscard]] Result<void> look(const std::stop_token& stop);
  [[nodiscard]] Result<void> make(const analytics::JourneyDay& day);
  [[nodiscard]] Result<void> remove_outdated();

  const JourneyKeeperOptions options_;
  analytics::JourneyWriter writer_;
  std::atomic<std::uint64_t> being_made_ = 0;  ///< A build; 0: none.
  // Of the thread alone:
  std::map<std::string, std::string> seen_, refused_;  ///< States of days: at the last look; that journeys cannot tell.
  std::map<Place, std::chrono::steady_clock::time_point> outdated_;  ///< Since when they are known so.
  std::binary_semaphore ended_{0};
  std::jthread thread_;
};

}  // namespace marquee::api
