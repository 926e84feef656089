// POST /v1/decisions, and the addresses of what it serves: GET /v1/impression/{token}, GET /v1/click/{token}.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "marquee/base/metrics.h"
#include "marquee/base/time.h"
#include "marquee/decision/token.h"
#include "marquee/event/person.h"
#include "marquee/http/server.h"
#include "marquee/ingest/access.h"
#include "marquee/learning/published.h"
#include "marquee/log/event_log.h"
#include "marquee/profile/clusters.h"
#include "marquee/profile/profiles.h"
#include "marquee/profile/segment_memberships.h"
#include "marquee/serving/explanations.h"
#include "marquee/serving/live_segments.h"
#include "marquee/serving/sites.h"

namespace marquee::serving {

/// How long an impression counts after its decision, and so how long it is reserved.
inline constexpr Millis kImpressionLife{5 * 60'000};
/// How long a click does.
inline constexpr Millis kClickLife{30 * 60'000};

struct ServingOptions {
  event::HashKey hash_key{};       ///< CollectorOptions::hash_key.
  decision::TokenKey token_key{};  ///< Of every process that serves or counts the same sites.
  /// Decisions, impressions and clicks together that one address may ask for; 0: no limit. A trusted key has none.
  double address_requests_per_second = 0;
  /// Asked for each decision: whether this process may serve. Null: always.
  std::function<bool()> may_serve = {};
  /// What is known of users, for requests that permit it; null: nothing. They must outlive the server.
  const profile::Profiles* profiles = nullptr;
  const profile::SegmentMemberships* segments = nullptr;
  const learning::Published<profile::NamedClusters>* clusters = nullptr;  ///< Of profiles.
  Explanations* explanations = nullptr;  ///< Where the reasons of some decisions are kept; null: nowhere. The same.
  const learning::Published<LiveSegments>* live_segments = nullptr;  ///< The same.
  std::shared_ptr<const Clock> clock = {};
  std::shared_ptr<metrics::Registry> metrics = {};
};

/// Where decisions and what comes of them are kept. Of a log on this machine all readers and writers share one; of
/// Kafka's `read_*` are of this server alone, as a KafkaLog reads on from where it was.
struct ServingLogs {
  log::EventLog& events;     ///< Impressions and clicks are appended to it,
  log::EventLog& decisions;  ///< and decisions to this.
  log::EventLog& read_events;
  log::EventLog& read_decisions;
  bool are_shared = false;  ///< With others who decide.
};

/// A decision is answered once its own log has it durably; where that log takes nothing, the answer has no ads. An
/// impression or click is an event of the events' log, with policy, propensity, price (value) and decision, under an
/// external id that only a token gives.
///
/// What is not counted (forged, expired, replayed, of a bot, one of a flood, a click without its impression, of a clock
/// that is ahead of ours) is answered as if it were, and appears in marquee_served_events_total by outcome.
///
/// Thread safe.
class DecisionServer {
 public:
  /// All but `options` must outlive the server that the routes are added to.
  DecisionServer(ServingOptions options, Sites& sites, const ServingLogs& logs, ingest::FindKey find_key);
  ~DecisionServer();
  void add_routes(http::Router& router);

  /// Feeds what was counted before this process began: budgets, caps, and which tokens are spent. `path` is where the
  /// counts are kept between runs. On a thread of its own, which then follows the events' log; until it has taken in
  /// what the logs have, nothing is served. Call it with all sites' inventories in place.
  void start(const std::string& path);
  /// Whether it knows what was delivered, and so serves.
  [[nodiscard]] bool is_ready() const;
  /// Writes the counts down now, as whoever was erased is not to stay in them. Action::retry where that takes long.
  [[nodiscard]] Result<void> save();
  /// Takes in what the events' log has by now, writes the counts down, ends the thread.
  void stop();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace marquee::serving
