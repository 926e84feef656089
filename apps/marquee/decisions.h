// What serves ads: deciders with the catalog's campaigns and slots, and their logs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "app.h"
#include "decider_place.h"
#include "decision_logs.h"
#include "marquee/base/metrics.h"
#include "marquee/catalog/catalog.h"
#include "marquee/decision/ranker.h"
#include "marquee/http/server.h"
#include "marquee/learning/published.h"
#include "marquee/log/event_log.h"
#include "marquee/profile/erasure.h"
#include "marquee/serving/click_learner.h"
#include "marquee/serving/decision_server.h"
#include "marquee/serving/demo_server.h"
#include "marquee/serving/fellow_watch.h"
#include "marquee/serving/learned_ranker.h"
#include "marquee/serving/live_segments.h"
#include "marquee/serving/sites.h"
#include "secrets.h"

namespace marquee::app {

class LiveProfiles;

/// What beside the logs decides what is learned.
[[nodiscard]] serving::TrainingOptions training_options(const Settings& settings, const Secrets& secrets);

/// Of one of several, which keeps its profiles there as well if it is told so; nullopt of one that decides alone.
[[nodiscard]] Result<std::optional<DeciderPlace>> decider_place(const Settings& settings, bool keeps_profiles);

class Decisions {
 public:
  /// `place`: where there are others (decider_place()). `catalog`, `events`, `profiles` (null: nobody is known) and
  /// `demo` (null: none) must outlive it.
  [[nodiscard]] static Result<std::unique_ptr<Decisions>> open(const Settings& settings, const Secrets& secrets,
                                                               std::optional<DeciderPlace> place,
                                                               catalog::Catalog& catalog, log::EventLog& events,
                                                               const LiveProfiles* profiles,
                                                               std::shared_ptr<metrics::Registry> metrics,
                                                               serving::DemoServer* demo = nullptr);
  ~Decisions() { stop(); }

  void add_routes(http::Router& router) { server_->add_routes(router); }
  /// Whether ads are served.
  [[nodiscard]] bool is_ready() const { return server_->is_ready(); }
  /// Of decisions: what a process that decides alone also carries to the store.
  [[nodiscard]] log::EventLog& log() { return logs_->decisions(); }
  /// Of the model (serving::ClickLearner::versions_json); empty where none is learned.
  [[nodiscard]] std::string versions_json() const { return learner_ ? learner_->versions_json() : ""; }
  /// Forgets what caps have counted of a user; in the file of counts, with its next writing.
  void forget(std::string_view site_id, std::uint64_t user_key, std::int64_t time_ms);
  /// Writes that file now. Action::retry where that takes long.
  [[nodiscard]] Result<void> save_counts() { return server_->save(); }
  /// When no request is under way any more.
  void stop();

 private:
  Decisions(catalog::Catalog& catalog, bool learns, decision::Auction auction, double uniform_share, bool has_fellows)
      : catalog_(catalog),
        learned_(auction, {.uniform_share = uniform_share}),
        sites_(learns ? static_cast<const decision::Ranker&>(learned_) : uniform_, serving::kImpressionLife,
               has_fellows ? &fellows_ : nullptr) {}
  /// Compiles what the catalog has, if that is another version than before.
  void follow_catalog();
  /// Reads the live segments, if there are others than before.
  void follow_live_segments();
  /// What there is by now, and then what comes.
  [[nodiscard]] Result<void> hear_erasures();

  catalog::Catalog& catalog_;
  std::int64_t version_ = -1;
  std::vector<std::pair<std::string, std::int64_t>> live_versions_;  ///< By id, when it was changed.
  learning::Published<serving::LiveSegments> live_segments_;
  decision::UniformRanker uniform_;
  serving::LearnedRanker learned_;
  decision::SharedFellows fellows_ = decision::Fellows();
  serving::Sites sites_;
  std::optional<DeciderPlace> place_;  ///< Where there are others.
  std::unique_ptr<DecisionLogs> logs_;
  std::unique_ptr<serving::FellowWatch> fellow_watch_;  ///< The same.
  std::unique_ptr<profile::ErasureReader> erasures_;    ///< The same: whom caps are to forget.
  std::unique_ptr<log::EventLog> versions_;             ///< Of the model's versions, where decisions.policy is learned.
  std::unique_ptr<serving::DecisionServer> server_;
  std::unique_ptr<serving::ClickLearner> learner_;  ///< Where decisions.policy is learned.
  std::jthread watch_;
};

}  // namespace marquee::app
