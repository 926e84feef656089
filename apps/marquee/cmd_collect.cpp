// marquee collect: takes events over HTTP into Kafka, and nothing else. As many as are wanted.
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "catalog_watch.h"
#include "commands.h"
#include "marquee/base/logging.h"
#include "parts.h"
#include "role.h"
#include "spill.h"

namespace marquee::app {
namespace {

constexpr auto kCollectLookEvery = std::chrono::seconds(1);
constexpr Millis kLogAnswersWithin{2'000};

class CollectRole final : public Role {
 public:
  explicit CollectRole(const App& app) : settings_(app.settings()) {}
  ~CollectRole() override { stop(); }

  Result<void> start() override {
    std::error_code ignored;
    std::filesystem::create_directories(settings_.data_dir, ignored);
    auto secrets = load_secrets(settings_.data_dir + "/secrets.json", built_in_sites());
    if (!secrets) return secrets.error();
    auto catalog = open_catalog(settings_, *secrets, "collect");
    if (!catalog) return catalog.error();
    catalog_ = std::move(*catalog);
    auto log = once_brokers_answer("collect", [this] { return open_collector_log(settings_, metrics_); });
    if (!log) return log.error();
    log_ = std::move(*log);
    collector_ = std::make_unique<ingest::Collector>(collector_options(settings_, *secrets, metrics_), *log_,
                                                     key_finder(*catalog_));
    http::Router router;
    collector_->add_routes(router);
    add_probes(router, [this] { return not_ready(); }, metrics_);
    server_ = std::make_unique<http::Server>(server_options(settings_), std::move(router));
    if (auto started = server_->start(); !started) return Error::give_up(started.error().message);
    catalog_watch_ = std::make_unique<CatalogWatch>(*catalog_);
    log_watch_ = std::jthread([this](std::stop_token stop) { watch_log(std::move(stop)); });
    logging::info("collect.ready",
                  {{"url", local_url(settings_.http_listen, server_->port())}, {"partitions", log_->partitions()}});
    return {};
  }

  std::string failure() const override { return {}; }
  void begin_drain() override { is_draining_ = true; }

  void stop() override {
    if (std::exchange(is_stopped_, true)) return;
    catalog_watch_.reset();
    log_watch_.request_stop();
    // Requests that were taken are answered, which the log's acknowledgements do.
    if (server_) server_->stop();
    if (log_) log_->close();
  }

 private:
  std::string not_ready() const {
    if (is_draining_) return "draining";
    return has_log_ ? "" : "Kafka does not answer";
  }

  /// Who balances the load sends events to another collector as long as this one would answer 503.
  void watch_log(std::stop_token stop) {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    while (!stopped.wait_for(lock, stop, kCollectLookEvery, [&] { return stop.stop_requested(); })) {
      const bool has_log = log_->reach(kLogAnswersWithin).has_value();
      if (has_log_.exchange(has_log) != has_log) logging::info("collect.kafka", {{"answers", has_log}});
    }
  }

  const Settings& settings_;
  std::shared_ptr<metrics::Registry> metrics_ = std::make_shared<metrics::Registry>();
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<log::EventLog> log_;
  std::unique_ptr<ingest::Collector> collector_;
  std::unique_ptr<http::Server> server_;
  std::atomic<bool> is_draining_ = false;
  std::atomic<bool> has_log_ = true;
  bool is_stopped_ = false;
  std::unique_ptr<CatalogWatch> catalog_watch_;
  std::jthread log_watch_;
};

}  // namespace

void add_collect_command(CLI::App& root, App& app) {
  auto* command = root.add_subcommand("collect", "Take events over HTTP into Kafka; start more of them for more");
  command->footer(
      "It shares secrets.json and catalog.sqlite of the data directory with the other roles.\n"
      "Examples:\n  MARQUEE_LOG_KIND=kafka MARQUEE_HTTP_PORT=8081 marquee collect");
  command->callback([&app] {
    if (auto possible = require_kafka(app.settings(), "collect"); !possible) {
      app.exit_code = fail(possible.error());
      return;
    }
    app.exit_code = run_role(app, "collect", [&app] { return std::make_unique<CollectRole>(app); });
  });
}

}  // namespace marquee::app
