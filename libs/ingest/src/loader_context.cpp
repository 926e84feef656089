#include "loader_context.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "marquee/base/logging.h"

namespace marquee::ingest {

void LoaderContext::note_failure(log::Partition partition, std::string_view what, const Error& error,
                                 unsigned failures) {
  metrics.failures.Increment();
  if (failures == 1 || failures % 30 == 0) {
    logging::warn("loader.waits",
                  {{"partition", partition}, {"at", what}, {"failures", failures}, {"error", error.message}});
  }
  const std::lock_guard lock(mutex_);
  last_error_ = fmt::format("partition {}: {}: {}", partition, what, error.message);
}

void LoaderContext::clear_failure() {
  const std::lock_guard lock(mutex_);
  last_error_.clear();
}

std::string LoaderContext::last_error() const {
  const std::lock_guard lock(mutex_);
  return last_error_;
}

std::chrono::milliseconds backoff(unsigned failures) {
  thread_local std::minstd_rand random(std::random_device{}());
  const std::int64_t longest = std::int64_t{50} << std::min(failures, 5U);
  return std::chrono::milliseconds(std::uniform_int_distribution<std::int64_t>(longest / 2, longest)(random));
}

}  // namespace marquee::ingest
