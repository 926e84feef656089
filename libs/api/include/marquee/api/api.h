// The JSON API of api/openapi.yaml, the live feed, and the console's files.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "marquee/analytics/reports.h"
#include "marquee/api/pipeline_json.h"
#include "marquee/api/sign_in_options.h"
#include "marquee/api/sql_reader.h"
#include "marquee/base/metrics.h"
#include "marquee/base/result.h"
#include "marquee/catalog/catalog.h"
#include "marquee/clickhouse/client.h"
#include "marquee/http/server.h"
#include "marquee/ingest/dead_letter_office.h"
#include "marquee/ingest/loader.h"
#include "marquee/ingest/pipeline_watch.h"
#include "marquee/ingest/retention.h"
#include "marquee/log/event_log.h"
#include "marquee/notify/notifier.h"
#include "marquee/privacy/eraser.h"

namespace marquee::api {

struct ApiOptions {
  std::string version;
  std::string console_dir;    ///< Of index.html and its assets; where it is missing, "/" says how to build it.
  std::string sdk_dir;        ///< Of marquee.js; where it is missing, its address says how to build it.
  std::string demo_dir = {};  ///< The same of the campus demo, at /demo/; empty: there is none.
  std::shared_ptr<metrics::Registry> metrics;
  /// Empty once events are taken and reports answered; before, what is being waited for.
  std::function<std::string()> not_ready;
  PipelineContext pipeline;
  std::uint64_t refresh_segments_ms = 60'000;  ///< How long between looks whether a segment's users may have changed.
  bool keeps_journeys =
      true;  ///< Whether days that are over are made into journeys (analytics/journeys.h); not of a cluster.
  std::uint64_t refresh_journeys_ms = 60'000;  ///< How long between looks whether a day can be.
  bool can_remember = true;                    ///< Whether reports may remember answers; see analytics::Reports.
  /// Erases what is known of a user while deciding, by the site's id of the user; durable when it returns.
  std::function<Result<void>(const std::string& site_id, const std::string& user_id)> erase_profile;
  /// Erases users from everything; null: not here.
  privacy::Eraser* eraser = nullptr;
  /// All that is known of a user, as JSON text, by the site's id of the user.
  std::function<Result<std::string>(const std::string& site_id, const std::string& user_id)> export_user = {};
  /// Groups of users of like interests: what targeting calls them, and how many users of the sample are in them.
  std::function<std::vector<std::pair<std::string, std::uint64_t>>()> clusters;
  /// Whether decisions can take a live segment's rule. Null: no live segments are taken.
  std::function<Result<void>(std::string_view rule)> check_live_rule = {};
  /// The terms that the store's tables were given; none: of a cluster, where they are given by hand.
  std::optional<ingest::Retention> retention = {};
  notify::NotifierOptions notifier;
  /// The model's versions as JSON; empty where this process learns none.
  std::function<std::string()> models = {};
  SignInOptions sign_in = {};
  SqlOptions sql = {};
};

/// Thread safe. What it is given must outlive it, and it must outlive the server that its routes are added to.
class Api {
 public:
  /// Deliveries and alerts ask `unhurried`.
  Api(ApiOptions options, catalog::Catalog& catalog, clickhouse::Client& store, clickhouse::Client& unhurried,
      ingest::Loader& loader, log::EventLog& log, ingest::PipelineWatch& watch, ingest::DeadLetterOffice& letters);
  ~Api();
  void add_routes(http::Router& router);
  /// Tells the live feed that events have landed; for Loader::on_landed. Never blocks.
  void landed();
  /// Sends deliveries and looks at alerts from now on; once the store answers.
  void start_notifier();
  /// Ends the live streams and the notifier, so that a server can stop.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// api/openapi.yaml, as it was when this was built, as JSON text.
[[nodiscard]] const std::string& openapi_json();

}  // namespace marquee::api
