#include "feeds.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>

#include "marquee/base/logging.h"
#include "marquee/feed/standing.h"
#include "marquee/ingest/dead_letter.h"
#include "parts.h"

namespace marquee::app {
namespace {

constexpr auto kReportEvery = std::chrono::seconds(2);

std::string process_name() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return fmt::format("{}:{}", host.data(), ::getpid());
}

feed::FeedOptions feed_options(const Settings& settings, const feed::Description& description) {
  feed::FeedOptions options;
  options.description = description;
  options.cluster = kafka_cluster(settings);
  options.events_topic = settings.kafka_topic;
  options.letters_topic = dead_letters_topic(settings);
  options.group = settings.kafka_group;
  options.instance = settings.kafka_instance;
  options.session = Millis(settings.kafka_session_ms);
  options.transaction = Millis(settings.feeds_transaction_ms);
  return options;
}

}  // namespace

Result<std::vector<feed::Description>> load_feeds(const Settings& settings) {
  if (settings.feeds_file.empty()) return std::vector<feed::Description>();
  std::ifstream file(settings.feeds_file);
  if (!file)
    return Error::reject(fmt::format("cannot read feeds.file {}: {}", settings.feeds_file, std::strerror(errno)));
  std::stringstream text;
  text << file.rdbuf();
  return feed::parse_feeds(text.str(), settings.feeds_file);
}

Result<std::unique_ptr<Feeds>> Feeds::open(const App& app, const std::vector<feed::Description>& feeds,
                                           log::Partition partitions, clickhouse::Client& store,
                                           std::shared_ptr<metrics::Registry> metrics,
                                           const std::function<void(const std::string&)>& on_fatal) {
  const Settings& settings = app.settings();
  const std::string path = settings.data_dir + "/secrets.json";
  if (!std::filesystem::exists(path))
    return Error::retry(
        fmt::format("feeds hash users with the key in {}, which the collectors share: it is not there", path));
  const auto secrets = load_secrets(path, built_in_sites());
  if (!secrets) return secrets.error();
  std::unique_ptr<Feeds> made(new Feeds());
  auto catalog = open_catalog(settings, *secrets, "load");
  if (!catalog) return catalog.error();
  made->catalog_ = std::move(*catalog);
  made->store_ = &store;
  made->metrics_ = metrics;
  for (const feed::Description& description : feeds) {
    auto options = feed_options(settings, description);
    options.partitions = partitions;
    options.metrics = metrics;
    options.on_fatal = on_fatal;
    options.on_dead_letters = [&store](const std::vector<feed::DeadLetter>& letters) {
      std::vector<ingest::DeadLetter> rows;
      for (const auto& one : letters) rows.push_back({one.topic, one.partition, one.offset, one.reason, one.bytes});
      return ingest::write_dead_letters(store, rows);
    };
    options.rules = [sites = made->catalog_.get(), site = description.site,
                     rules =
                         feed::Rules{secrets->hash_key_bytes(), settings.collector_max_event_age_ms, false}]() mutable {
      const auto found = sites->site(site);
      if (!found) return std::optional<feed::Rules>();
      rules.consent_required = found->consent_required;
      return std::optional(rules);
    };
    auto opened = feed::Feed::open(std::move(options));
    if (!opened) return opened.error();
    made->feeds_.push_back(std::move(*opened));
  }
  return made;
}

Feeds::~Feeds() { stop(); }

Result<void> Feeds::start() {
  catalog_watch_ = std::make_unique<CatalogWatch>(*catalog_);
  for (const auto& feed : feeds_) {
    if (auto started = feed->start(); !started) return started;
  }
  reporter_ = std::jthread([this](const std::stop_token& stop) {
    feed::Reporter reporter(*store_, process_name(), *metrics_);
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    while (!stopped.wait_for(lock, stop, kReportEvery, [&] { return stop.stop_requested(); }))
      reporter.report(status());
  });
  return {};
}

void Feeds::stop() {
  reporter_.request_stop();
  if (reporter_.joinable()) reporter_.join();
  for (const auto& feed : feeds_) feed->stop();
}

std::vector<feed::FeedStatus> Feeds::status() const {
  std::vector<feed::FeedStatus> all;
  for (const auto& feed : feeds_) all.push_back(feed->status());
  const std::lock_guard lock(mutex_);
  for (auto& feed : all) {
    const auto before = std::ranges::find(reported_, feed.name, &feed::FeedStatus::name);
    if (before == reported_.end()) continue;
    for (auto& one : feed.partitions) {
      const auto rated = std::ranges::find(before->partitions, one.partition, &feed::FeedStatus::Partition::partition);
      if (rated != before->partitions.end()) one.messages_per_second = rated->messages_per_second;
    }
  }
  return all;
}

}  // namespace marquee::app
