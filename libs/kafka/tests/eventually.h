// Waiting for what another thread, or the broker, does.
#pragma once

#include <chrono>
#include <thread>

namespace marquee::kafka::testing {

/// Whether `condition` holds within the limit.
template <class Condition>
bool eventually(Condition condition, std::chrono::seconds limit = std::chrono::seconds(30)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

}  // namespace marquee::kafka::testing
