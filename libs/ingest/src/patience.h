// Trying again while a store or a log is away.
#pragma once

#include <chrono>
#include <thread>

#include "loader_context.h"
#include "marquee/base/result.h"
#include "marquee/base/time.h"

namespace marquee::ingest {

/// Calls `attempt`, which returns a Result, until it succeeds, fails with another action than retry, or `patience` is
/// over.
template <class Attempt>
auto patiently(Millis patience, Attempt&& attempt) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (unsigned failures = 1;; ++failures) {
    auto result = attempt();
    if (result || result.error().action != Action::retry || std::chrono::steady_clock::now() > deadline) return result;
    std::this_thread::sleep_for(backoff(failures));
  }
}

}  // namespace marquee::ingest
