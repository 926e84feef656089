// What the campus demo shows beside its pages: POST /v1/demo/visits, POST /v1/demo/profile, GET
// /v1/demo/decisions/{id}.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "marquee/base/time.h"
#include "marquee/decision/token.h"
#include "marquee/event/person.h"
#include "marquee/http/server.h"
#include "marquee/ingest/access.h"
#include "marquee/learning/published.h"
#include "marquee/profile/clusters.h"
#include "marquee/profile/profiles.h"
#include "marquee/profile/segment_memberships.h"
#include "marquee/serving/explanations.h"

namespace marquee::serving {

struct DemoOptions {
  std::string site_id;              ///< On which it plays.
  event::HashKey hash_key{};        ///< CollectorOptions::hash_key.
  decision::TokenKey token_key{};   ///< ServingOptions::token_key.
  double requests_per_second = 50;  ///< That an address may make; 0: no limit.
  /// As those of ServingOptions.
  const profile::Profiles* profiles = nullptr;
  const profile::SegmentMemberships* segments = nullptr;
  const learning::Published<profile::NamedClusters>* clusters = nullptr;
  /// What people call a segment; it may block. Null: by its id.
  std::function<std::string(std::string_view segment_id)> title_of = {};
  std::shared_ptr<const Clock> clock = {};
};

/// Gives a browser what is else for servers' keys alone, and so no more than its visitor may know:
/// - a write key of its own for the page, which is not trusted, is in no catalog, and is good only here, while the demo
///   is on;
/// - a profile only of a student of a visit that this gave out (an id with a keyed hash in it), with the permission
/// that
///   any profile needs; and its topics, which are hashes, only by the names that the asker has for them;
/// - reasons only of decisions that were asked for with that write key, to who has the decision's id.
/// Other sites' pages cannot read any of it: nothing here allows their origins.
///
/// Thread safe.
class DemoServer {
 public:
  /// What it is given must outlive the server that the routes are added to.
  explicit DemoServer(DemoOptions options);
  ~DemoServer();
  void add_routes(http::Router& router);

  /// Where ServingOptions look for which decisions to explain. Lives as long as this.
  [[nodiscard]] Explanations& explanations();
  /// `find_key`, which knows the demo's write key besides; it is of the site as `site` says.
  [[nodiscard]] ingest::FindKey with_write_key(ingest::FindKey find_key,
                                               std::function<std::optional<ingest::WriteKey>()> site) const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace marquee::serving
