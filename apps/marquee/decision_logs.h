// The logs of who decides, and of who carries decisions to the store.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app.h"
#include "marquee/base/metrics.h"
#include "marquee/log/event_log.h"
#include "marquee/serving/decision_server.h"

namespace marquee::app {

/// Of this machine, or of Kafka where events are kept there. A log of Kafka's has one reader, as it reads on from where
/// it was; one on this machine is shared by all.
class DecisionLogs {
 public:
  /// `events`, to which impressions and clicks are appended, must outlive it.
  [[nodiscard]] static Result<std::unique_ptr<DecisionLogs>> open(const Settings& settings, log::EventLog& events,
                                                                  std::shared_ptr<metrics::Registry> metrics);
  [[nodiscard]] serving::ServingLogs serving();
  [[nodiscard]] log::EventLog& decisions() { return *decisions_; }
  [[nodiscard]] log::EventLog& learned_events();
  [[nodiscard]] log::EventLog& learned_decisions();
  /// In which deciders hear of each other; null where there is one.
  [[nodiscard]] log::EventLog* fellows() { return fellows_.get(); }
  /// In which they are told whom to forget; the same.
  [[nodiscard]] log::EventLog* erasures() { return erasures_.get(); }
  void close();

 private:
  explicit DecisionLogs(log::EventLog& events) : events_(events) {}
  log::EventLog& events_;
  std::unique_ptr<log::EventLog> decisions_;
  // Of Kafka alone.
  std::unique_ptr<log::EventLog> counted_events_, counted_decisions_, learned_events_, learned_decisions_, fellows_,
      erasures_;
};

/// A log of Kafka's that this process reads and appends to, for whoever opens it alone.
[[nodiscard]] Result<std::unique_ptr<log::EventLog>> open_topic(const Settings& settings, std::string topic);

/// Where the learner keeps what it learned, of a Marquee that decides alone.
[[nodiscard]] std::string model_path(const Settings& settings);
/// This machine's log of decisions.
[[nodiscard]] Result<std::unique_ptr<log::EventLog>> open_local_decisions(const Settings& settings,
                                                                          std::shared_ptr<metrics::Registry> metrics);
/// Of the versions of the model that is kept in `model_path`, beside it (serving::ClickLearner).
[[nodiscard]] Result<std::unique_ptr<log::EventLog>> open_versions_log(const Settings& settings,
                                                                       const std::string& model_path);

/// Kafka's log of decisions as loaders follow it, in a group of their own.
[[nodiscard]] Result<std::unique_ptr<log::EventLog>> open_landing_decisions(
    const Settings& settings, std::function<void(const std::string&)> on_fatal);

}  // namespace marquee::app
