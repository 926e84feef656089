#include "spill.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "marquee/log/local_log.h"
#include "marquee/log/spilling_log.h"
#include "parts.h"

namespace marquee::app {
namespace {

constexpr log::Partition kLanes = 16;  // Fixed, as what waits is found again by it.
constexpr std::uint64_t kMostChunk = std::uint64_t{2} << 20;
constexpr Millis kBrokersWithin{10'000};

std::string directory_of(const Settings& settings) {
  return settings.spill_directory.empty() ? settings.data_dir + "/spill" : settings.spill_directory;
}

Result<std::unique_ptr<log::EventLog>> open_near(const Settings& settings, std::shared_ptr<metrics::Registry> metrics) {
  log::LocalLogOptions options;
  options.directory = directory_of(settings) + "/log";
  options.partitions = kLanes;
  options.max_bytes = settings.spill_max_bytes;
  options.min_free_disk_bytes = settings.log_min_free_disk_bytes;
  options.keep_confirmed_ms = 0;
  options.max_pending_bytes =
      2 * settings.kafka_max_pending_bytes;  // What was under way when the brokers went, and more.
  options.recent_bytes = std::uint64_t{8} << 20;
  options.buffer_bytes = std::uint64_t{64} << 20;
  options.metric_labels = {{"log", "spill"}};
  options.when_full = "it has reached spill.max_size";
  options.metrics = std::move(metrics);
  auto opened = log::open_local_log(std::move(options));
  if (!opened && opened.error().message.find("lock file") != std::string::npos)
    return Error::give_up(opened.error().message + "; each collector needs a spill.directory of its own");
  return opened;
}

/// How many partitions the topic had when the brokers last answered; 0 where that is not known.
log::Partition remembered_partitions(const Settings& settings) {
  std::ifstream file(directory_of(settings) + "/topic");
  std::string topic;
  log::Partition partitions = 0;
  file >> topic >> partitions;
  return topic == settings.kafka_topic ? partitions : 0;
}

Result<void> remember_partitions(const Settings& settings, log::Partition partitions) {
  if (remembered_partitions(settings) == partitions) return {};
  return write_private_file(directory_of(settings) + "/topic",
                            fmt::format("{} {}\n", settings.kafka_topic, partitions));
}

/// Action::reject where a spill that is not configured any more holds events.
Result<void> refuse_left_behind(const Settings& settings) {
  std::error_code ignored;
  if (!std::filesystem::exists(directory_of(settings) + "/log", ignored)) return {};
  const auto left = open_near(settings, nullptr);
  if (!left) return {};  // Another process has it, or it is none.
  std::uint64_t waiting = 0;
  for (log::Partition lane = 0; lane < kLanes; ++lane) {
    const auto progress = (*left)->progress(lane);
    if (!progress) return progress.error();
    waiting += (*left)->end(lane) - std::min(progress->next, (*left)->end(lane));
  }
  if (waiting == 0) return {};
  return Error::reject(fmt::format("{} acknowledged events wait in {}: set spill.max_size, so that they are drained",
                                   waiting, directory_of(settings)));
}

}  // namespace

Result<std::unique_ptr<log::EventLog>> open_collector_log(const Settings& settings,
                                                          std::shared_ptr<metrics::Registry> metrics,
                                                          std::function<void(const std::string&)> on_fatal) {
  if (settings.log_kind != "kafka" || settings.spill_max_bytes == 0) {
    if (auto empty = refuse_left_behind(settings); !empty) return empty.error();
    return open_event_log(settings, std::move(metrics), std::move(on_fatal));
  }
  auto kafka_options = kafka_log_options(settings, metrics, std::move(on_fatal));
  kafka_options.is_backed = true;
  kafka_options.acknowledge = Millis(settings.spill_after_ms);
  kafka_options.assumed_partitions = remembered_partitions(settings);
  const Millis wait = kafka_options.assumed_partitions > 0 ? kafka_options.acknowledge : kBrokersWithin;
  auto far = kafka::open_kafka_log(std::move(kafka_options), wait);
  if (!far) return far.error();
  auto near = open_near(settings, metrics);
  if (!near) return near.error();
  if (auto remembered = remember_partitions(settings, (*far)->partitions()); !remembered) return remembered.error();
  log::SpillOptions options;
  options.after = Millis(settings.spill_after_ms);
  options.drain_within = Millis(settings.drain_limit_ms / 2);
  options.max_pending_bytes =
      2 * settings.kafka_max_pending_bytes;  // The half of it may be on its way from one to the other.
  options.chunk_bytes = std::min(kMostChunk, settings.kafka_max_pending_bytes / 8);
  options.metrics = std::move(metrics);
  auto log = log::open_spilling_log(std::move(*far), std::move(*near), std::move(options));
  if (!log) return log.error();
  return std::unique_ptr<log::EventLog>(std::move(*log));
}

}  // namespace marquee::app
