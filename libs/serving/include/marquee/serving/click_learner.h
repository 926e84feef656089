// Learns from the logs which ads are clicked, and has the ranker follow.
#pragma once

#include <memory>
#include <string>

#include "marquee/base/metrics.h"
#include "marquee/base/time.h"
#include "marquee/decision/token.h"
#include "marquee/learning/learner.h"
#include "marquee/learning/model_watch.h"
#include "marquee/log/event_log.h"
#include "marquee/serving/learned_ranker.h"
#include "marquee/serving/sites.h"

namespace marquee::serving {

/// What, beside the logs, decides what is learned.
struct TrainingOptions {
  decision::TokenKey token_key{};   ///< ServingOptions::token_key.
  Millis click_window{2 * 60'000};  ///< How long an impression waits for its click before it is learned.
  learning::LearnerOptions learner{.slots_log2 = 20, .ftrl = {}, .priors = {}, .half_life_s = 14 * 86'400.0};
  /// What serves is compared with what served one to two of these before, by the logs' times.
  Millis compare_for{60 * 60'000};
  learning::TrialOptions trial{.false_alarm = 1e-3, .min_clicks = 50, .epoch_examples = 20'000};
};

struct ClickLearnerOptions {
  TrainingOptions training;
  std::string path;             ///< Where what was learned is kept between runs.
  Millis publish_every{1'000};  ///< A new version of the model, where there is something new.
  Millis save_every{60'000};    ///< How often what was learned is written down.
  bool gives_way = true;        ///< Whether whatever else wants the cores goes first.
  std::shared_ptr<metrics::Registry> metrics = {};
};

/// Reads the decisions' log and the events' log side by side, in the order of their times: a decision says what was
/// known of the request and what the ad is, the impression's and the click's events (those with our own external id
/// alone) what became of it. So it learns what every process served and counted, and not what a page claims.
///
/// It reads in rounds. Before what a round has taught serves, the log of versions has the round: how far both logs were
/// read, the version's number and the hash of all that was learned. Everything else follows from the logs, bit for bit,
/// a version that is found worse than one before it and is left for that included.
///
/// What was learned is written down now and then and at the end, whole or not at all; a start goes on from there by the
/// recorded rounds, as if never interrupted. A file that cannot be read is logged and left: the rounds are read from
/// where learning began, or, where the logs do not reach back so far, learning begins anew with what they have. A file
/// beside it, `path`.history (made from the store), is taken up and replaces what was learned.
///
/// One thread of its own.
class ClickLearner {
 public:
  /// All but `options` must outlive it. `versions` has one partition, and nobody else writes it.
  ClickLearner(ClickLearnerOptions options, LearnedRanker& ranker, const Sites& sites, log::EventLog& events,
               log::EventLog& decisions, log::EventLog& versions);
  ~ClickLearner();

  void start();
  /// Writes down what was learned.
  void stop();

  /// The version that serves, how many records of the logs it has not been learned from, the version it is compared
  /// with, the latest versions and roll-backs, as a JSON object. Thread safe.
  [[nodiscard]] std::string versions_json() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace marquee::serving
