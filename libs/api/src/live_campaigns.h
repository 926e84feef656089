// GET /v1/live/campaigns: what campaigns deliver by second, minute or day, as Server-Sent Events.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "marquee/analytics/live.h"
#include "marquee/http/server.h"
#include "marquee/log/event_log.h"

namespace marquee::api {

/// One thread looks at what has landed, while someone listens, whoever many there are: seconds are counted from the
/// events by their offsets, minutes and days that changed are read again from the rollups. Whoever begins to listen
/// hears the whole window first, then what changes; counts are told as they are now, not by how much they grew. Thread
/// safe.
class LiveCampaigns {
 public:
  LiveCampaigns(clickhouse::Client& store, log::EventLog& log);
  ~LiveCampaigns();  ///< Stops.
  LiveCampaigns(const LiveCampaigns&) = delete;
  LiveCampaigns& operator=(const LiveCampaigns&) = delete;

  /// `stream`: of an answer that has begun (event_stream_head).
  void listen(const std::string& site, analytics::LiveUnit unit, std::shared_ptr<http::Stream> stream);
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  using Cells = std::map<std::pair<std::string, std::int64_t>, analytics::LiveCount>;  ///< By campaign and time.
  using Name = std::pair<std::string, analytics::LiveUnit>;                            ///< Site and unit.
  struct Listener {
    Name name;
    std::shared_ptr<http::Stream> stream;
    bool knows_window = false;
  };
  /// Of a site and a unit.
  struct Window {
    bool is_whole = false;  ///< Read once, from then on kept.
    Cells cells, changed;
    std::map<std::int64_t, Clock::time_point> touched;  ///< Times to be read again, and since when.
  };

  void run();
  bool wait();
  void begin();
  void look();
  void count_what_landed(std::int64_t now_s);
  void refresh(const Name& name, Window& window, std::int64_t now_s);
  void tell(std::int64_t now_s);
  std::set<Name> names();

  clickhouse::Client& store_;
  log::EventLog& log_;
  std::vector<log::Offset> next_;  ///< By partition; on the thread only, as are the next two.
  std::map<Name, Window> windows_;
  Clock::time_point last_look_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Listener> listeners_;  ///< Guarded by mutex_, as are the next three.
  bool has_newcomer_ = false;
  bool is_idle_ = true;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace marquee::api
