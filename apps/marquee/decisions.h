// What serves ads: deciders with the catalog's campaigns and slots, their log, and what carries it to the store.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "app.h"
#include "marquee/base/metrics.h"
#include "marquee/catalog/catalog.h"
#include "marquee/clickhouse/client.h"
#include "marquee/decision/ranker.h"
#include "marquee/http/server.h"
#include "marquee/log/event_log.h"
#include "marquee/serving/click_learner.h"
#include "marquee/serving/decision_loader.h"
#include "marquee/serving/decision_server.h"
#include "marquee/serving/learned_ranker.h"
#include "marquee/serving/sites.h"
#include "secrets.h"

namespace marquee::app {

class LiveProfiles;

class Decisions {
 public:
  /// `catalog`, `events` and `profiles` (null: nobody is known) must outlive it; so must `store`, which it alone uses.
  [[nodiscard]] static Result<std::unique_ptr<Decisions>> open(const Settings& settings, const Secrets& secrets,
                                                               catalog::Catalog& catalog, log::EventLog& events,
                                                               clickhouse::Client& store, const LiveProfiles* profiles,
                                                               std::shared_ptr<metrics::Registry> metrics);
  ~Decisions() { stop(); }

  void add_routes(http::Router& router) { server_->add_routes(router); }
  /// Once the store has its schema.
  void start_loading() { loader_->start(); }
  /// Forgets what caps have counted of a user; in the file of counts, with its next writing.
  void forget(std::string_view site_id, std::uint64_t user_key);
  /// When no request is under way any more.
  void stop();

 private:
  Decisions(catalog::Catalog& catalog, bool learns, decision::Auction auction)
      : catalog_(catalog),
        learned_(auction),
        sites_(learns ? static_cast<const decision::Ranker&>(learned_) : uniform_, serving::kImpressionLife) {}
  /// Compiles what the catalog has, if that is another version than before.
  void follow_catalog();

  catalog::Catalog& catalog_;
  std::int64_t version_ = -1;
  decision::UniformRanker uniform_;
  serving::LearnedRanker learned_;
  serving::Sites sites_;
  std::unique_ptr<log::EventLog> log_;
  std::unique_ptr<serving::DecisionServer> server_;
  std::unique_ptr<serving::DecisionLoader> loader_;
  std::unique_ptr<serving::ClickLearner> learner_;  ///< Where decisions.policy is learned.
  std::jthread watch_;
};

}  // namespace marquee::app
