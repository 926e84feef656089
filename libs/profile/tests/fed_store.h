// Feeders over real logs, for tests.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "marquee/log/local_log.h"
#include "marquee/profile/profile_feeder.h"
#include "profile_events.h"

namespace marquee::profile::testing {

using Steady = std::chrono::steady_clock;

inline constexpr std::size_t kCapacity = 10'000;

inline void append(log::EventLog& log, const std::vector<event::Event>& events) {
  std::map<log::Partition, log::Batch> batches;
  for (const auto& event : events) {
    std::string record;
    event::encode(event, record);
    const auto partition = event::partition_of(event, log.partitions());
    batches.try_emplace(partition, partition).first->second.add(record);
  }
  std::vector<log::Batch> all;
  for (auto& [partition, batch] : batches) all.push_back(std::move(batch));
  std::mutex mutex;
  std::condition_variable done;
  bool is_done = false;
  log.append(std::move(all), [&](Result<void> appended) {
    EXPECT_TRUE(appended);
    const std::lock_guard lock(mutex);
    is_done = true;
    done.notify_one();
  });
  std::unique_lock lock(mutex);
  done.wait(lock, [&] { return is_done; });
}

template <class Condition>
[[nodiscard]] bool comes_true(Condition&& condition) {
  const auto end = Steady::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (Steady::now() > end) return false;
    std::this_thread::sleep_for(Millis(1));
  }
  return true;
}

inline std::unique_ptr<log::EventLog> open_log(const Directory& directory, log::Partition partitions = 3) {
  log::LocalLogOptions options;
  options.directory = directory.file("log");
  options.partitions = partitions;
  options.min_free_disk_bytes = 0;
  auto log = log::open_local_log(std::move(options));
  EXPECT_TRUE(log);
  return std::move(*log);
}

inline std::unique_ptr<ProfileFeeder> open_feeder(log::EventLog& log, const Directory& directory,
                                                  ProfileFeederOptions options = {}) {
  options.directory = directory.file("profiles");
  auto feeder = ProfileFeeder::open(log, kCapacity, std::move(options));
  EXPECT_TRUE(feeder) << feeder.error().message;
  return std::move(*feeder);
}

}  // namespace marquee::profile::testing
