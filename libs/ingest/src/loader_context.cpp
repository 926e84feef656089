#include "loader_context.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "marquee/base/logging.h"

namespace marquee::ingest {

void LoaderContext::note_failure(log::Partition partition, std::string_view what, const Error& error,
                                 unsigned failures) {
  metrics.of(partition).failures.Increment();
  if (failures == 1 || failures % 30 == 0) {
    logging::warn("loader.waits",
                  {{"partition", partition}, {"at", what}, {"failures", failures}, {"error", error.message}});
  }
  const std::lock_guard lock(mutex_);
  last_errors_[partition] = fmt::format("{}: {}", what, error.message);
}

std::uint64_t draw_token(bool for_repairs) {
  std::random_device random;
  const std::uint64_t fresh = (std::uint64_t{random()} << 32 | random()) | 3;  // 0 is nobody.
  return for_repairs ? fresh : fresh ^ 2;
}

LoaderContext::Name LoaderContext::name() const {
  const std::lock_guard lock(mutex_);
  return name_;
}

Result<void> LoaderContext::renew_name(std::uint64_t replaced, bool for_repairs) {
  const std::uint64_t fresh = draw_token(for_repairs);
  bool is_out_of_date = false;
  // Replicated tables are not rewound.
  if (!options.replicated) {
    // In this order: what is changed between the two shuts the new name out as well.
    if (auto known = store.introduce(fresh); !known) return known;
    const auto old = store.is_out_of_date(replaced);
    if (!old) return old.error();
    is_out_of_date = *old;
  }
  const std::lock_guard lock(mutex_);
  if (name_.token != replaced) return {};
  name_ = {fresh, name_.look + (is_out_of_date ? 1 : 0)};
  return {};
}

void LoaderContext::clear_failure(log::Partition partition) {
  const std::lock_guard lock(mutex_);
  last_errors_.erase(partition);
}

std::string LoaderContext::last_error() const {
  const std::lock_guard lock(mutex_);
  if (last_errors_.empty()) return {};
  return fmt::format("partition {}: {}", last_errors_.begin()->first, last_errors_.begin()->second);
}

std::string LoaderContext::last_error(log::Partition partition) const {
  const std::lock_guard lock(mutex_);
  const auto found = last_errors_.find(partition);
  return found == last_errors_.end() ? std::string() : found->second;
}

std::chrono::milliseconds backoff(unsigned failures) {
  thread_local std::minstd_rand random(std::random_device{}());
  const std::int64_t longest = std::int64_t{50} << std::min(failures, 5U);
  return std::chrono::milliseconds(std::uniform_int_distribution<std::int64_t>(longest / 2, longest)(random));
}

}  // namespace marquee::ingest
