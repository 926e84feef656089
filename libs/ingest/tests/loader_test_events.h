// Events and waiting, for the loader's tests.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "marquee/event/event.h"
#include "marquee/log/event_log.h"

namespace marquee::ingest::testing {

inline constexpr std::int64_t kNewYear = 1'767'225'600'000;  // 2026-01-01 00:00 UTC
inline constexpr std::int64_t kDay = 86'400'000;

/// An event of session `session`, with all that the rollups look at.
inline event::Event make_event(std::uint64_t session, std::uint32_t seq, std::int64_t time_ms = kNewYear) {
  event::Event event;
  event.site_id = "campus";
  event.session_id = session;
  event.seq = seq;
  event.user_key = session % 97 + 1;
  event.event_time_ms = time_ms;
  event.received_time_ms = time_ms + 250;
  event.type = static_cast<event::Type>(seq % 13 + 1);
  event.college_id = seq % 2 == 0 ? "north" : "south";
  event.page_id = "home";
  event.slot_id = "hero";
  event.campaign_id = "autumn";
  event.ad_id = seq % 3 == 0 ? "ad-1" : "ad-2";
  event.slot_x = static_cast<event::Permyriad>(seq * 37 % 10'001);
  event.slot_y = static_cast<event::Permyriad>(seq * 91 % 10'001);
  event.search_query = event.type == event::Type::search ? "data science" : "";
  event.value = event.type == event::Type::conversion ? 12.5 : 0;
  return event;
}

/// Everything in the log has landed, and no plan is left.
[[nodiscard]] inline bool is_all_confirmed(log::EventLog& log) {
  for (log::Partition p = 0; p < log.partitions(); ++p) {
    const auto progress = log.progress(p);
    if (!progress || progress->plan || progress->next != log.end(p)) return false;
  }
  return true;
}

/// Appends and waits until the log has it.
inline void append(log::EventLog& log, log::Partition partition, const std::vector<std::string>& records) {
  log::Batch batch(partition);
  for (const auto& record : records) batch.add(record);
  std::mutex mutex;
  std::condition_variable done;
  bool is_done = false;
  std::vector<log::Batch> batches;
  batches.push_back(std::move(batch));
  log.append(std::move(batches), [&](Result<void> result) {
    const std::lock_guard lock(mutex);
    is_done = result.has_value();
    done.notify_all();
  });
  std::unique_lock lock(mutex);
  if (!done.wait_for(lock, std::chrono::seconds(20), [&] { return is_done; }))
    throw std::runtime_error("append failed");
}

inline std::string encoded(const event::Event& event) {
  std::string out;
  event::encode(event, out);
  return out;
}

/// Asks until `condition` holds; false where it does not within `limit`.
inline bool eventually(const std::function<bool()>& condition, std::chrono::seconds limit = std::chrono::seconds(60)) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // Between two looks, not instead of one.
  }
  return true;
}

}  // namespace marquee::ingest::testing
