// GET /v1/live: what lands, as Server-Sent Events.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "marquee/clickhouse/client.h"
#include "marquee/http/server.h"
#include "marquee/log/event_log.h"

namespace marquee::api {

/// One thread asks the store what landed since it last asked, while someone listens, and tells every listener of that
/// site. Offsets in the log say what is new, so that each event is in one tick exactly. Thread safe.
class LiveFeed {
 public:
  LiveFeed(clickhouse::Client& store, log::EventLog& log);
  ~LiveFeed();  ///< Stops.
  LiveFeed(const LiveFeed&) = delete;
  LiveFeed& operator=(const LiveFeed&) = delete;

  /// `stream`: of an answer that has begun (event_stream_head).
  void listen(const std::string& site, std::shared_ptr<http::Stream> stream);
  void landed();
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  struct Listener {
    std::string site;
    std::shared_ptr<http::Stream> stream;
  };
  struct Tick;

  void run();
  /// Waits for the next look at the store. False once stopping.
  bool wait();
  void begin_at_now();
  void tell();

  clickhouse::Client& store_;
  log::EventLog& log_;
  std::vector<log::Offset> next_;  ///< By partition; on the feed's thread only, as is the next.
  Clock::time_point last_look_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Listener> listeners_;  ///< Guarded by mutex_, as are the next three.
  bool has_landed_ = false;
  bool is_idle_ = true;  ///< Nobody listened at the last look.
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace marquee::api
