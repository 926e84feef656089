// marquee load: carries Kafka's events into ClickHouse, exactly once. As many as there are partitions.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "commands.h"
#include "decision_logs.h"
#include "feed_status.h"
#include "feeds.h"
#include "load_rewind.h"
#include "load_status.h"
#include "marquee/base/logging.h"
#include "marquee/clickhouse/migrations.h"
#include "marquee/clickhouse/shards.h"
#include "marquee/serving/decision_loader.h"
#include "parts.h"
#include "role.h"
#include "store_access.h"

namespace marquee::app {
namespace {

constexpr auto kTryEvery = std::chrono::milliseconds(250);
constexpr auto kLoadLookEvery = std::chrono::milliseconds(1'000);
constexpr std::string_view kNoStore = "the store does not answer";

class LoadRole final : public Role {
 public:
  explicit LoadRole(const App& app) : app_(app), settings_(app.settings()) {}
  ~LoadRole() override { stop(); }

  Result<void> start() override {
    auto feeds = load_feeds(settings_);
    if (!feeds) return feeds.error();
    described_ = std::move(*feeds);
    const auto shards = store_shards(app_);
    if (!shards) return shards.error();
    shards_ = clickhouse::connect(*shards, store_connections(settings_));
    probing_ = clickhouse::connect(*shards, {.connect_timeout_ms = 1'000, .timeout_ms = 2'000, .pool_size = 1});
    http::Router router;
    add_probes(router, [this] { return not_ready(); }, metrics_);
    router.add_blocking("GET", "/v1/loader", [this](const http::Request&) { return status(); });
    server_ = std::make_unique<http::Server>(server_options(settings_), std::move(router));
    if (auto started = server_->start(); !started) return Error::give_up(started.error().message);
    logging::info("load.listening", {{"url", local_url(settings_.http_listen, server_->port())}});
    bring_up_ = std::jthread([this](std::stop_token stop) { bring_up(std::move(stop)); });
    return {};
  }

  std::string failure() const override {
    const std::lock_guard lock(mutex_);
    return failure_;
  }
  void begin_drain() override { is_draining_ = true; }

  void stop() override {
    if (std::exchange(is_stopped_, true)) return;
    is_draining_ = true;
    bring_up_.request_stop();
    if (bring_up_.joinable()) bring_up_.join();
    if (feeds_) feeds_->stop();
    if (decision_loader_) decision_loader_->stop();
    if (decisions_log_) decisions_log_->close();
    if (loader_) loader_->stop();
    if (log_) log_->close();
    if (server_) server_->stop();
  }

 private:
  /// Both the store and Kafka may come later than this does, and go away again.
  void bring_up(std::stop_token stop) {
    bool is_up = false;
    while (!stop.stop_requested()) {
      if (is_up) {
        set_waiting(what_is_missing());
      } else if (auto done = try_bring_up(); done) {
        is_up = true;
        continue;
      } else if (done.error().action != Action::retry) {
        return fail_with(done.error().message);
      } else {
        set_waiting(done.error().message);
      }
      std::unique_lock lock(mutex_);
      stopped_.wait_for(lock, stop, is_up ? kLoadLookEvery : kTryEvery, [&] { return stop.stop_requested(); });
    }
  }

  bool store_answers() {
    const bool answers = std::ranges::all_of(probing_, [](const auto& shard) { return shard->ping(); });
    store_up_.Set(answers ? 1 : 0);
    return answers;
  }

  /// Without which nothing is landed; empty where it has all.
  std::string what_is_missing() {
    if (!store_answers()) return std::string(kNoStore);
    return loader_->status().has_joined ? "" : "the loaders' group has not let it in yet";
  }

  Result<void> try_bring_up() {
    if (!loader_) {
      if (auto started = start_loader(); !started) return started;
    }
    if (!decision_loader_) {
      if (auto started = start_decision_loader(); !started) return started;
    }
    return described_.empty() ? Result<void>() : start_feeds();
  }

  Result<void> start_loader() {
    if (!store_answers()) return Error::retry(std::string(kNoStore));
    const auto schema = clickhouse::migration_status(*shards_.front(), clickhouse::built_in_migrations());
    if (!schema) return schema.error();
    for (const auto& [migration, is_applied] : *schema) {
      if (!is_applied)
        return Error::retry(
            fmt::format("the store's schema is old (migration {}): run `marquee migrate up`", migration.number));
    }
    auto log = open_event_log(settings_, metrics_, [this](const std::string& why) { fail_with(why); });
    if (!log) return log.error();
    {
      const std::lock_guard lock(mutex_);
      log_ = std::move(*log);
      loader_ = std::make_unique<ingest::Loader>(loader_options(app_, metrics_), *log_, clickhouse::borrowed(shards_));
    }
    loader_->start();
    return {};
  }

  Result<void> start_decision_loader() {
    auto log = open_landing_decisions(settings_, [this](const std::string& why) { fail_with(why); });
    if (!log) return log.error();
    const auto shards = store_shards(app_);
    if (!shards) return shards.error();
    decisions_log_ = std::move(*log);
    landing_decisions_ = std::make_unique<clickhouse::Client>(shards->front(), store_connections(settings_));
    decision_loader_ = std::make_unique<serving::DecisionLoader>(*decisions_log_, *landing_decisions_, metrics_);
    decision_loader_->start();
    return {};
  }

  Result<void> start_feeds() {
    auto feeds = Feeds::open(app_, described_, log_->partitions(), *shards_.front(), metrics_,
                             [this](const std::string& why) { fail_with(why); });
    if (!feeds) return feeds.error();
    if (auto started = (*feeds)->start(); !started) return started;
    const std::lock_guard lock(mutex_);
    feeds_ = std::move(*feeds);
    return {};
  }

  void fail_with(const std::string& why) {
    const std::lock_guard lock(mutex_);
    failure_ = why;
  }
  void set_waiting(std::string why) {
    const std::lock_guard lock(mutex_);
    waiting_for_ = std::move(why);
  }
  std::string not_ready() const {
    if (is_draining_) return "draining";
    const std::lock_guard lock(mutex_);
    return waiting_for_;
  }

  http::Response status() const {
    nlohmann::ordered_json partitions = nlohmann::ordered_json::array();
    auto feeds = nlohmann::ordered_json::array();
    ingest::LoaderStatus sum;
    {
      const std::lock_guard lock(mutex_);
      if (feeds_) feeds = feeds_json(feeds_->status());
      if (loader_) {
        sum = loader_->status();
        for (const auto& one : loader_->partitions()) {
          partitions.push_back({{"partition", one.partition},
                                {"landed", one.landed},
                                {"end", one.end},
                                {"lag_events", one.lag_events()},
                                {"lag_seconds", one.lag_seconds},
                                {"last_error", one.last_error}});
        }
      }
    }
    const nlohmann::ordered_json body = {
        {"events_landed", sum.events_landed},  {"repeats_dropped", sum.repeats_dropped},
        {"dead_letters", sum.dead_letters},    {"recoveries", sum.recoveries},
        {"lag_events", sum.lag_events},        {"last_error", sum.last_error},
        {"partitions", std::move(partitions)}, {"feeds", std::move(feeds)}};
    return http::Response::json(200, body.dump());
  }

  const App& app_;
  const Settings& settings_;
  std::shared_ptr<metrics::Registry> metrics_ = std::make_shared<metrics::Registry>();
  prometheus::Gauge& store_up_ =
      prometheus::BuildGauge().Name("marquee_store_up").Help("1: the store answers").Register(*metrics_).Add({});
  clickhouse::Clients shards_;
  clickhouse::Clients probing_;
  mutable std::mutex mutex_;
  std::string waiting_for_ = "starting";  ///< Guarded by mutex_, as is the next.
  std::string failure_;
  std::unique_ptr<log::EventLog> log_;
  std::unique_ptr<ingest::Loader> loader_;
  std::unique_ptr<log::EventLog> decisions_log_;
  std::unique_ptr<clickhouse::Client> landing_decisions_;
  std::unique_ptr<serving::DecisionLoader> decision_loader_;
  std::unique_ptr<Feeds> feeds_;
  std::vector<feed::Description> described_;
  std::unique_ptr<http::Server> server_;
  std::atomic<bool> is_draining_ = false;
  bool is_stopped_ = false;
  std::condition_variable_any stopped_;
  std::jthread bring_up_;
};

std::shared_ptr<RewindArguments> add_rewind_options(CLI::App& command) {
  auto rewind = std::make_shared<RewindArguments>();
  auto* from = command.add_option("--from", rewind->from,
                                  "Read history again from there and end: a time (2026-11-01T00:00:00Z), how long ago "
                                  "(2h), an offset (4711), offsets "
                                  "by partition (0:4711,3:12), or start. Into tables beside the live ones, which are "
                                  "then swapped in; loaders go on");
  command
      .add_flag("--in-place", rewind->is_in_place,
                "Into the same table: insert what it has lost. A table that is whole stays as it is")
      ->needs(from);
  command.add_flag("--dry-run", rewind->is_dry_run, "Only say what would be read, and what is there of it")
      ->needs(from);
  command.add_flag("--quiet", rewind->is_quiet, "Show no progress")->needs(from);
  command
      .add_option(
          "--wait", rewind->wait_seconds,
          "Seconds to wait for another that reads history again, or for a loader that clears away what one left "
          "that died")
      ->needs(from)
      ->capture_default_str();
  return rewind;
}

}  // namespace

void add_load_command(CLI::App& root, App& app) {
  auto* command =
      root.add_subcommand("load", "Carry Kafka's events into ClickHouse, exactly once; start more for more");
  struct Arguments {
    bool status = false;
    bool json = false;
  };
  auto arguments = std::make_shared<Arguments>();
  command->add_flag(
      "--status", arguments->status,
      "Show every partition's lag, rate, batch size, dead letters and last error, those of feeds, and end");
  command->add_flag("--json", arguments->json,
                    "The status as JSON, as GET /v1/pipeline answers it; with --from what was read as JSON");
  const auto rewind = add_rewind_options(*command);
  command->footer(
      "Needs log.kind: kafka and the store (store.url, or a Marquee that runs in the data directory).\n"
      "--status also shows the loader of a `marquee serve` with the local log. It ends with 0 while events land, 2 "
      "where\n"
      "something stands in their way, 1 where nothing could be looked at.\n"
      "Examples:\n  MARQUEE_LOG_KIND=kafka MARQUEE_HTTP_PORT=0 marquee load\n  marquee load --status\n"
      "  marquee load --status --json | jq .done_in_seconds\n"
      "  marquee load --from 2026-11-01T00:00:00Z --dry-run\n  marquee load --from start --in-place");
  command->callback([&app, arguments, rewind] {
    if (arguments->json && !arguments->status && rewind->from.empty())
      throw CLI::ValidationError("--json", "needs --status or --from");
    if (!rewind->from.empty()) {
      rewind->as_json = arguments->json;
      app.exit_code = run_rewind(app, *rewind);
      return;
    }
    if (arguments->status) {
      app.exit_code = show_load_status(app, arguments->json);
      return;
    }
    if (auto possible = require_kafka(app.settings(), "load"); !possible) {
      app.exit_code = fail(possible.error());
      return;
    }
    app.exit_code = run_role(app, "load", [&app] { return std::make_unique<LoadRole>(app); });
  });
}

}  // namespace marquee::app
