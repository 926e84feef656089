// What users have used of their quotas.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>

#include "marquee/engine/failure.h"
#include "marquee/engine/users.h"

namespace marquee::engine {

/// Thread safe. As in ClickHouse, a query counts when it begins, and what it used once it has ended: the query that
/// goes beyond a bound still ends, the next is refused.
class Quotas {
 public:
  using Clock = std::chrono::system_clock;

  /// Counts a query; QUOTA_EXCEEDED where an interval's bound has been reached.
  [[nodiscard]] Answer<> begin(const User& user, Clock::time_point now);
  /// Counts what it used. `failed`: it ended with an error.
  void end(const User& user, const Progress& used, bool failed, Clock::time_point now);

 private:
  /// Of one of a user's quotas.
  struct Used {
    Clock::time_point interval_begin{};
    QuotaLimits sum;
    std::uint64_t execution_ns = 0;
  };
  Used& of(const User& user, std::size_t quota, Clock::time_point now);

  std::mutex mutex_;
  std::map<std::pair<std::string, std::size_t>, Used> used_;
};

}  // namespace marquee::engine
