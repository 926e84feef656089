// Wall-clock time in milliseconds since the Unix epoch (UTC), and a clock that tests can move.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace marquee {

using Millis = std::chrono::milliseconds;
using WallTime = std::chrono::sys_time<Millis>;

/// Source of the wall clock. Thread safe.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual WallTime now() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] WallTime now() const override {
    return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now());
  }
};

/// A clock that stands still until it is moved; for tests.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start) : now_(start.time_since_epoch().count()) {}
  [[nodiscard]] WallTime now() const override { return WallTime(Millis(now_.load())); }
  void advance(Millis by) { now_ += by.count(); }
  void set(WallTime to) { now_ = to.time_since_epoch().count(); }

 private:
  std::atomic<std::int64_t> now_;
};

}  // namespace marquee
