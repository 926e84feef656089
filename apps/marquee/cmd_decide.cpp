// marquee decide: serves ads and counts what comes of them over Kafka, and nothing else. As many as are wanted.
#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "catalog_watch.h"
#include "commands.h"
#include "decisions.h"
#include "live_profiles.h"
#include "marquee/base/logging.h"
#include "parts.h"
#include "role.h"
#include "store_access.h"

namespace marquee::app {
namespace {

class DecideRole final : public Role {
 public:
  explicit DecideRole(const App& app) : app_(app), settings_(app.settings()) {}
  ~DecideRole() override { stop(); }

  Result<void> start() override {
    std::error_code ignored;
    std::filesystem::create_directories(settings_.data_dir, ignored);
    auto secrets = load_secrets(settings_.data_dir + "/secrets.json", built_in_sites());
    if (!secrets) return secrets.error();
    auto catalog = open_catalog(settings_, *secrets, "decide");
    if (!catalog) return catalog.error();
    catalog_ = std::move(*catalog);
    catalog_watch_ = std::make_unique<CatalogWatch>(*catalog_);
    if (auto opened = once_brokers_answer("decide", [&] { return open_logs(*secrets); }); !opened) return opened;
    http::Router router;
    decisions_->add_routes(router);
    add_probes(router, [this] { return not_ready(); }, metrics_);
    server_ = std::make_unique<http::Server>(server_options(settings_), std::move(router));
    if (auto started = server_->start(); !started) return Error::give_up(started.error().message);
    logging::info("decide.listening", {{"url", local_url(settings_.http_listen, server_->port())}});
    return {};
  }

  std::string failure() const override { return {}; }
  void begin_drain() override { is_draining_ = true; }

  void stop() override {
    if (std::exchange(is_stopped_, true)) return;
    catalog_watch_.reset();
    // Requests that were taken are answered, which the logs' acknowledgements do.
    if (server_) server_->stop();
    if (decisions_) decisions_->stop();
    profiles_.reset();
    if (log_) log_->close();
  }

 private:
  Result<void> open_logs(const Secrets& secrets) {
    auto log = open_event_log(settings_, metrics_);
    if (!log) return log.error();
    log_ = std::move(*log);
    auto place = decider_place(settings_, settings_.profiles_enabled);
    if (!place) return place.error();
    if (settings_.profiles_enabled) {
      const auto store = known_store();
      if (!store) return store.error();
      auto profiles = LiveProfiles::open(settings_, (*place)->profiles(), *catalog_, *log_, *store, metrics_);
      if (!profiles) return profiles.error();
      profiles_ = std::move(*profiles);
    }
    auto decisions =
        Decisions::open(settings_, secrets, std::move(*place), *catalog_, *log_, profiles_.get(), metrics_);
    if (!decisions) {
      profiles_.reset();  // With the place that they are kept in.
      return decisions.error();
    }
    decisions_ = std::move(*decisions);
    return {};
  }

  /// It decides without one as well.
  [[nodiscard]] Result<std::optional<clickhouse::Endpoint>> known_store() const {
    if (settings_.store_url.empty()) {
      const auto running = store_endpoint(app_);
      return running ? std::optional(*running) : std::optional<clickhouse::Endpoint>();
    }
    const auto configured = store_endpoint(app_);
    if (!configured) return configured.error();
    return std::optional(*configured);
  }

  std::string not_ready() const {
    if (is_draining_) return "draining";
    if (!decisions_->is_ready()) return "what was delivered, and who else decides, is not known yet";
    return !profiles_ || profiles_->has_begun() ? "" : "what users did is not known yet";
  }

  const App& app_;
  const Settings& settings_;
  std::shared_ptr<metrics::Registry> metrics_ = std::make_shared<metrics::Registry>();
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<CatalogWatch> catalog_watch_;
  std::unique_ptr<log::EventLog> log_;
  std::unique_ptr<LiveProfiles> profiles_;  ///< Where profiles.enabled.
  std::unique_ptr<Decisions> decisions_;
  std::unique_ptr<http::Server> server_;
  std::atomic<bool> is_draining_ = false;
  bool is_stopped_ = false;
};

}  // namespace

void add_decide_command(CLI::App& root, App& app) {
  auto* command =
      root.add_subcommand("decide", "Serve ads and count what comes of them, over Kafka; start more for more");
  command->footer(
      "It shares secrets.json and catalog.sqlite of the data directory with the other roles.\n"
      "Examples:\n  MARQUEE_LOG_KIND=kafka MARQUEE_HTTP_PORT=8082 marquee decide");
  command->callback([&app] {
    if (auto possible = require_kafka(app.settings(), "decide"); !possible) {
      app.exit_code = fail(possible.error());
      return;
    }
    app.exit_code = run_role(app, "decide", [&app] { return std::make_unique<DecideRole>(app); });
  });
}

}  // namespace marquee::app
