// Learns from the logs which ads are clicked, and has the ranker follow.
#pragma once

#include <memory>
#include <string>

#include "marquee/base/metrics.h"
#include "marquee/base/time.h"
#include "marquee/decision/token.h"
#include "marquee/learning/learner.h"
#include "marquee/log/event_log.h"
#include "marquee/serving/learned_ranker.h"
#include "marquee/serving/sites.h"

namespace marquee::serving {

struct ClickLearnerOptions {
  decision::TokenKey token_key{};   ///< ServingOptions::token_key.
  std::string path;                 ///< Where what was learned is kept between runs.
  Millis click_window{2 * 60'000};  ///< How long an impression waits for its click before it is learned.
  Millis publish_every{1'000};      ///< A new version of the model, where there is something new.
  learning::LearnerOptions learner{.slots_log2 = 20, .ftrl = {}, .priors = {}, .half_life_s = 14 * 86'400.0};
  std::shared_ptr<metrics::Registry> metrics = {};
};

/// Reads the decisions' log and the events' log side by side, in the order of their times: a decision says what was
/// known of the request, the impression's and the click's events (those with our own external id alone) what became of
/// it. So it learns what every process served and counted, and not what a page claims.
///
/// What was learned is written down once a minute and at the end, whole or not at all, with the time up to which all
/// impressions are in it; a start goes on from there. A file that cannot be read is logged and left; learning begins
/// with what the logs still have. One thread of its own.
class ClickLearner {
 public:
  /// All but `options` must outlive it.
  ClickLearner(ClickLearnerOptions options, LearnedRanker& ranker, const Sites& sites, log::EventLog& events,
               log::EventLog& decisions);
  ~ClickLearner();

  void start();
  /// Writes down what was learned.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace marquee::serving
