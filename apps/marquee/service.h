// Everything that `marquee serve` runs, from the lock on its data to the last answer.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "app.h"
#include "decisions.h"
#include "live_profiles.h"
#include "marquee/api/api.h"
#include "marquee/base/port_hold.h"
#include "marquee/base/supervisor.h"
#include "marquee/catalog/catalog.h"
#include "marquee/clickhouse/client.h"
#include "marquee/clickhouse/shards.h"
#include "marquee/http/server.h"
#include "marquee/ingest/collector.h"
#include "marquee/ingest/dead_letter_office.h"
#include "marquee/ingest/loader.h"
#include "marquee/ingest/pipeline_watch.h"
#include "marquee/ingest/retention.h"
#include "marquee/log/event_log.h"
#include "marquee/privacy/eraser.h"
#include "marquee/serving/decision_loader.h"
#include "marquee/serving/demo_server.h"
#include "secrets.h"
#include "shared_erasures.h"

namespace marquee::app {

/// start() once, stop() once; both from one thread.
class Service {
 public:
  explicit Service(const App& app) : app_(app), settings_(app.settings()) {}
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// Takes events when it returns; the store is brought up meanwhile. Errors name what to do.
  [[nodiscard]] Result<void> start();
  /// What ended the start of the store for good (its binary is missing, its schema is newer); empty while there is
  /// nothing.
  [[nodiscard]] std::string failure() const;
  /// Answers what is under way, loads what it can, ends the store.
  void stop();
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }

 private:
  [[nodiscard]] Result<void> read_retention();
  [[nodiscard]] Result<void> lock_data();
  [[nodiscard]] Result<void> open_catalog();
  [[nodiscard]] Result<void> open_log();
  [[nodiscard]] Result<void> start_server();
  [[nodiscard]] Result<void> open_profiles();
  /// The demo needs whoever takes its events and decides here, too.
  [[nodiscard]] bool has_demo() const { return settings_.demo_enabled && settings_.serve_collect; }
  void open_demo();
  [[nodiscard]] Result<void> open_decisions(http::Router& router);
  [[nodiscard]] Result<void> start_decision_loader();
  [[nodiscard]] Result<void> start_store();
  void open_reader();
  /// By the id that the site has for the user.
  /// As events have the user.
  [[nodiscard]] std::uint64_t key_of(std::string_view user_id) const;
  [[nodiscard]] Result<void> erase_profile(const std::string& site_id, const std::string& user_id);
  /// What of users this process keeps, for who erases them.
  [[nodiscard]] privacy::Places places_of_users();
  [[nodiscard]] Result<std::string> export_user(const std::string& site_id, const std::string& user_id);
  /// Names and users of the clusters that have one.
  [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> clusters() const;
  [[nodiscard]] Result<void> write_runtime() const;
  /// Waits for the store, brings its schema up, starts the loader; then looks at a store that is not its own. On a
  /// thread of its own.
  void bring_up();
  Result<void> follow_schema();
  [[nodiscard]] std::string not_ready() const;
  void set_failure(const std::string& why);

  const App& app_;
  const Settings& settings_;
  int lock_ = -1;
  ingest::Retention retention_;
  Secrets secrets_;
  std::shared_ptr<metrics::Registry> metrics_ = std::make_shared<metrics::Registry>();
  std::optional<PortHold> store_port_;  ///< Of the store that this process runs.
  clickhouse::Endpoint endpoint_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<log::EventLog> log_;
  clickhouse::Clients loading_;                    ///< The loader's connections to the store, by shard, and
  std::unique_ptr<clickhouse::Client> answering_;  ///< those of reports.
  std::unique_ptr<clickhouse::Client> notifying_;  ///< Of reports that nobody waits for.
  std::unique_ptr<clickhouse::Client> reading_;    ///< Of people's statements, as a user that may only read; or null.
  std::unique_ptr<clickhouse::Client> probing_;
  std::unique_ptr<clickhouse::Client> watching_;
  std::unique_ptr<ingest::Loader> loader_;
  std::unique_ptr<ingest::Collector> collector_;
  std::unique_ptr<SharedErasures> erasures_;    ///< With Kafka.
  std::unique_ptr<LiveProfiles> profiles_;      ///< Of a process that collects, where profiles.enabled.
  std::unique_ptr<serving::DemoServer> demo_;   ///< The same, where demo.enabled.
  std::unique_ptr<Decisions> decisions_;        ///< Of a process that collects.
  std::unique_ptr<log::EventLog> landing_log_;  ///< Kafka's of decisions, of a process that loads.
  std::unique_ptr<clickhouse::Client> landing_decisions_;
  std::unique_ptr<serving::DecisionLoader> decision_loader_;
  std::unique_ptr<ingest::PipelineWatch> watch_;
  std::unique_ptr<ingest::DeadLetterOffice> letters_;
  std::unique_ptr<clickhouse::Client> erasing_;
  std::unique_ptr<privacy::Eraser> eraser_;
  std::unique_ptr<api::Api> api_;
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<Supervisor> supervisor_;
  std::thread bring_up_;
  std::atomic<bool> is_up_ = false;
  std::atomic<bool> store_answers_ = true;
  std::atomic<bool> is_stopping_ = false;
  mutable std::mutex mutex_;
  std::string failure_;  ///< Guarded by mutex_.
};

}  // namespace marquee::app
