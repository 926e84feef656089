#include "decision_logs.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <utility>

#include "marquee/kafka/kafka_log.h"
#include "marquee/log/local_log.h"
#include "parts.h"

namespace marquee::app {
namespace {

constexpr std::uint64_t kPrefetchBytes = std::uint64_t{4} << 20;

log::LocalLogOptions local_decisions(const Settings& settings, std::shared_ptr<metrics::Registry> metrics) {
  log::LocalLogOptions options;
  options.directory = settings.data_dir + "/decisions/log";
  options.max_bytes = settings.log_max_bytes;
  options.min_free_disk_bytes = settings.log_min_free_disk_bytes;
  // What was decided and not seen yet is read from it after a restart.
  options.keep_confirmed_ms =
      std::max<std::uint64_t>(settings.log_keep_confirmed_ms, 2 * serving::kImpressionLife.count());
  options.sync_behind_ms = settings.decisions_sync_behind_ms;
  options.metric_labels = {{"log", "decisions"}};
  options.metrics = std::move(metrics);
  return options;
}

log::LocalLogOptions local_versions(const Settings& settings, const std::string& model_path) {
  constexpr auto kKeep = std::chrono::duration_cast<Millis>(std::chrono::days(7));
  log::LocalLogOptions options;
  options.directory = std::filesystem::path(model_path).parent_path() / "versions";
  options.max_bytes = std::uint64_t{1} << 30;
  options.min_free_disk_bytes = settings.log_min_free_disk_bytes;
  options.recent_bytes = options.buffer_bytes = std::uint64_t{4} << 20;
  options.keep_confirmed_ms = static_cast<std::uint64_t>(kKeep.count());
  options.when_full = "the log of the model's versions is full";
  options.metric_labels = {{"log", "versions"}};
  return options;
}

}  // namespace

Result<std::unique_ptr<log::EventLog>> open_topic(const Settings& settings, std::string topic) {
  auto options = kafka_log_options(settings, nullptr, nullptr);
  options.topic = std::move(topic);
  options.acknowledge = Millis(settings.decisions_log_within_ms);
  options.prefetch_bytes = kPrefetchBytes;
  return kafka::open_kafka_log(std::move(options));
}

Result<std::unique_ptr<DecisionLogs>> DecisionLogs::open(const Settings& settings, log::EventLog& events,
                                                         std::shared_ptr<metrics::Registry> metrics) {
  std::unique_ptr<DecisionLogs> made(new DecisionLogs(events));
  if (settings.log_kind != "kafka") {
    auto log = open_local_decisions(settings, std::move(metrics));
    if (!log) return log.error();
    made->decisions_ = std::move(*log);
    return made;
  }
  const std::pair<std::unique_ptr<log::EventLog>*, std::string> wanted[] = {
      {&made->decisions_, decisions_topic(settings)},
      {&made->counted_events_, settings.kafka_topic},
      {&made->counted_decisions_, decisions_topic(settings)},
      {&made->learned_events_, settings.kafka_topic},
      {&made->learned_decisions_, decisions_topic(settings)},
      {&made->fellows_, deciders_topic(settings)},
      {&made->erasures_, erasures_topic(settings)}};
  for (const auto& [log, topic] : wanted) {
    auto opened = open_topic(settings, topic);
    if (!opened) return opened.error();
    *log = std::move(*opened);
  }
  return made;
}

serving::ServingLogs DecisionLogs::serving() {
  const bool are_shared = fellows_ != nullptr;
  return {.events = events_,
          .decisions = *decisions_,
          .read_events = are_shared ? *counted_events_ : events_,
          .read_decisions = are_shared ? *counted_decisions_ : *decisions_,
          .are_shared = are_shared};
}

log::EventLog& DecisionLogs::learned_events() { return learned_events_ ? *learned_events_ : events_; }
log::EventLog& DecisionLogs::learned_decisions() { return learned_decisions_ ? *learned_decisions_ : *decisions_; }

void DecisionLogs::close() {
  for (auto* log : {&decisions_, &counted_events_, &counted_decisions_, &learned_events_, &learned_decisions_,
                    &fellows_, &erasures_})
    if (*log) (*log)->close();
}

std::string model_path(const Settings& settings) { return settings.data_dir + "/decisions/model"; }

Result<std::unique_ptr<log::EventLog>> open_local_decisions(const Settings& settings,
                                                            std::shared_ptr<metrics::Registry> metrics) {
  return log::open_local_log(local_decisions(settings, std::move(metrics)));
}

Result<std::unique_ptr<log::EventLog>> open_versions_log(const Settings& settings, const std::string& model_path) {
  return log::open_local_log(local_versions(settings, model_path));
}

Result<std::unique_ptr<log::EventLog>> open_landing_decisions(const Settings& settings,
                                                              std::function<void(const std::string&)> on_fatal) {
  auto options = kafka_log_options(settings, nullptr, std::move(on_fatal));
  options.topic = decisions_topic(settings);
  options.group = settings.kafka_group + "-decisions";
  return kafka::open_kafka_log(std::move(options));
}

}  // namespace marquee::app
