// The collector: POST /v1/events, POST /v1/beacon, GET /v1/pixel. It answers 2xx only after the log has the events
// durably.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "marquee/base/metrics.h"
#include "marquee/base/time.h"
#include "marquee/http/server.h"
#include "marquee/ingest/access.h"
#include "marquee/log/event_log.h"

namespace marquee::ingest {

struct CollectorOptions {
  std::size_t max_body_bytes = 4 * 1024 * 1024;  ///< As sent, and ten times that when decompressed.
  std::size_t max_events = 10'000;               ///< Per request; beyond: 413.
  double key_events_per_second = 0;              ///< 0: no limit.
  double address_events_per_second = 0;          ///< 0: no limit.
  std::uint64_t max_event_age_ms = 30ULL * 86'400'000;
  std::array<std::uint8_t, 16> hash_key{};
  std::shared_ptr<const Clock> clock;
  std::shared_ptr<metrics::Registry> metrics;
};

/// Thread safe. `log` and `find_key` must outlive the server that the routes are added to.
class Collector {
 public:
  Collector(CollectorOptions options, log::EventLog& log, FindKey find_key);
  ~Collector();
  void add_routes(http::Router& router);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace marquee::ingest
