#include "marquee/api/api.h"

#include <fmt/format.h>

#include <chrono>

#include "account_answers.h"
#include "alert_answers.h"
#include "answers.h"
#include "catalog_answers.h"
#include "definition_answers.h"
#include "delivery_answers.h"
#include "gate.h"
#include "journey_keeper.h"
#include "letter_answers.h"
#include "live_campaigns.h"
#include "live_feed.h"
#include "oidc_answers.h"
#include "page_files.h"
#include "privacy_answers.h"
#include "progressive_answers.h"
#include "report_answers.h"
#include "saved_answers.h"
#include "scheduled_reports.h"
#include "sdk_files.h"
#include "segment_answers.h"
#include "session_answers.h"
#include "sql_answers.h"
#include "watched_stream.h"

namespace marquee::api {

class Api::Impl {
 public:
  Impl(ApiOptions options, catalog::Catalog& catalog, clickhouse::Client& store, clickhouse::Client& unhurried,
       ingest::Loader& loader, log::EventLog& log, ingest::PipelineWatch& watch, ingest::DeadLetterOffice& letters)
      : options_(std::move(options)),
        catalog_(catalog),
        store_(store),
        loader_(loader),
        log_(log),
        watch_(watch),
        sessions_(catalog::AccountBook(catalog), options_.sign_in.sessions, options_.sign_in.clock),
        gate_(catalog, sessions_),
        reports_(catalog, store, options_.can_remember),
        sql_(options_.sql, store),
        saved_(catalog, reports_, sql_),
        segments_({.refresh_every = std::chrono::milliseconds(options_.refresh_segments_ms),
                   .can_tell_changes = options_.can_remember,
                   .is_store_ready = [this] { return options_.not_ready().empty(); },
                   .check_live = options_.check_live_rule},
                  catalog, store),
        journeys_({.is_enabled = options_.keeps_journeys && options_.can_remember,
                   .refresh_every = std::chrono::milliseconds(options_.refresh_journeys_ms),
                   .is_store_ready = [this] { return options_.can_remember && options_.not_ready().empty(); }},
                  store),
        segment_answers_(catalog, segments_),
        scheduled_(catalog, unhurried, options_.can_remember, watch),
        notifier_(options_.notifier, catalog, scheduled_),
        delivery_answers_(catalog, notifier_, options_.notifier.webhook),
        alert_answers_(catalog, notifier_, scheduled_, options_.notifier.webhook),
        progressive_(reports_, store),
        catalog_answers_(catalog, options_.retention),
        campaigns_(catalog, catalog::ItemKind::campaign),
        slots_(catalog, catalog::ItemKind::slot),
        letter_answers_(letters),
        privacy_(catalog, options_.eraser, options_.export_user),
        console_(options_.console_dir, {.name = "console", .setting = "http.console_dir"}),
        demo_(options_.demo_dir, {.name = "demo", .setting = "demo.dir", .base = "/demo"}),
        sdk_(options_.sdk_dir),
        live_(store, log),
        live_campaigns_(store, log),
        session_answers_(options_.sign_in, catalog, sessions_, gate_, passwords_),
        account_answers_(catalog, passwords_, options_.sign_in.cost),
        oidc_answers_(options_.sign_in, catalog, sessions_) {}

  void add_routes(http::Router& router) {
    router.set_guard([this](const auto& route, auto& request) { return gate_.refuse(route, request); });
    add_accounts(router);
    add_reports(router);
    add_catalog(router);
    add_operation(router);
    sdk_.add_routes(router);
    if (!options_.demo_dir.empty()) add_pages(router, "/demo", demo_);
    add_pages(router, "", console_);
  }

  void landed() { live_.landed(); }
  void start_notifier() { notifier_.start(); }
  void stop() {
    notifier_.stop();
    progressive_.stop();
    sql_.stop();
    segments_.stop();
    journeys_.stop();
    live_.stop();
    live_campaigns_.stop();
  }

 private:
  static void add_pages(http::Router& router, const std::string& base, const PageFiles& files) {
    const auto answer = [&files](const http::Request& request, http::Responder responder) {
      responder.send(files.answer(request));
    };
    if (!base.empty()) router.add("GET", base, answer);
    router.add("GET", base + "/", answer);
    router.add("GET", base + "/{path*}", answer);
  }

  /// Who may ask is in route_access.cpp.
  template <class Handle>
  static void add_guarded(http::Router& router, const char* method, const std::string& path, Handle handle) {
    router.add_blocking(method, path, handle);
  }

  void add_reports(http::Router& router) {
    for (const auto kind : ReportAnswers::kinds())
      add_guarded(router, "GET", fmt::format("/v1/reports/{}", kind),
                  [this, kind](const auto& request) { return reports_.answer(kind, request); });
    for (const auto& report : ReportAnswers::in_steps()) {
      const auto answer = [this, report](const http::Request& request, http::Responder responder) {
        progressive_.answer(report, request, std::move(responder));
      };
      router.add("GET", fmt::format("/v1/reports/{}/stream", report.name), answer);
      if (report.name == "funnel") router.add("POST", "/v1/reports/funnel/stream", answer);
    }
    add_guarded(router, "GET", "/v1/reports/model", [](const auto&) { return ReportAnswers::model(); });
    add_guarded(router, "POST", "/v1/reports/funnel",
                [this](const auto& request) { return reports_.funnel_of_body(request); });
    router.add("POST", "/v1/sql", [this](http::Request request, http::Responder responder) {
      sql_.answer(std::move(request), std::move(responder));
    });
    add_guarded(router, "GET", "/v1/sql/schema", [this](const auto&) { return sql_.schema(); });
    add_saved_reports(router);
    add_segments(router);
    add_notifications(router, "/v1/deliveries", "send", delivery_answers_);
    add_notifications(router, "/v1/alerts", "test", alert_answers_);
    add_live(router, "/v1/live", [this](const auto& request, const std::string& site, http::Responder responder) {
      live_.listen(site, stream_of(request, responder));
    });
    add_live(router, "/v1/live/campaigns",
             [this](const auto& request, const std::string& site, http::Responder responder) {
               const auto unit = choice_parameter(request, "unit", {"second", "minute", "day"});
               if (!unit) return responder.send(error_answer(unit.error()));
               live_campaigns_.listen(site,
                                      *unit == "second"   ? analytics::LiveUnit::second
                                      : *unit == "minute" ? analytics::LiveUnit::minute
                                                          : analytics::LiveUnit::day,
                                      stream_of(request, responder));
             });
  }

  /// Ends with the session that asked for it.
  std::shared_ptr<http::Stream> stream_of(const http::Request& request, http::Responder& responder) {
    auto stream = responder.stream(event_stream_head());
    if (request.session.empty()) return stream;
    return watched(std::move(stream), [this, session = request.session] { return sessions_.goes_on(session); });
  }

  /// A stream about one site.
  template <class Listen>
  void add_live(http::Router& router, const char* path, Listen listen) {
    router.add("GET", path, [this, listen](const http::Request& request, http::Responder responder) {
      const std::string site = request.query_parameter("site").value_or("");
      if (!catalog_.site(site)) return responder.send(error_answer(400, "site: expected the id of a site", "site"));
      listen(request, site, std::move(responder));
    });
  }

  void add_saved_reports(http::Router& router) {
    add_guarded(router, "GET", "/v1/saved-reports", [this](const auto& request) { return saved_.list(request); });
    add_guarded(router, "POST", "/v1/saved-reports", [this](const auto& request) { return saved_.add(request); });
    add_guarded(router, "GET", "/v1/saved-reports/{id}", [this](const auto& request) { return saved_.get(request); });
    add_guarded(router, "PUT", "/v1/saved-reports/{id}",
                [this](const auto& request) { return saved_.replace(request); });
    add_guarded(router, "DELETE", "/v1/saved-reports/{id}",
                [this](const auto& request) { return saved_.remove(request); });
    add_guarded(router, "GET", "/v1/saved-reports/{id}/answer",
                [this](const auto& request) { return saved_.answer(request); });
  }

  void add_segments(http::Router& router) {
    add_guarded(router, "GET", "/v1/segments", [this](const auto& request) { return segment_answers_.list(request); });
    add_guarded(router, "POST", "/v1/segments", [this](const auto& request) { return segment_answers_.add(request); });
    add_guarded(router, "GET", "/v1/segments/{id}",
                [this](const auto& request) { return segment_answers_.get(request); });
    add_guarded(router, "PUT", "/v1/segments/{id}",
                [this](const auto& request) { return segment_answers_.replace(request); });
    add_guarded(router, "DELETE", "/v1/segments/{id}",
                [this](const auto& request) { return segment_answers_.remove(request); });
    add_guarded(router, "POST", "/v1/segments/{id}/refresh",
                [this](const auto& request) { return segment_answers_.refresh(request); });
  }

  void add_definitions(http::Router& router, const std::string& path, DefinitionAnswers& answers) {
    const auto one = path + "/{id}";
    add_guarded(router, "GET", path, [&answers](const auto& request) { return answers.list(request); });
    add_guarded(router, "POST", path, [&answers](const auto& request) { return answers.add(request); });
    add_guarded(router, "GET", one, [&answers](const auto& request) { return answers.get(request); });
    add_guarded(router, "PUT", one, [&answers](const auto& request) { return answers.put(request); });
    add_guarded(router, "DELETE", one, [&answers](const auto& request) { return answers.remove(request); });
    add_guarded(router, "GET", one + "/history", [&answers](const auto& request) { return answers.history(request); });
    add_guarded(router, "POST", one + "/restore", [&answers](const auto& request) { return answers.restore(request); });
  }

  template <class Answers>
  void add_notifications(http::Router& router, const std::string& path, const char* trial, Answers& answers) {
    const auto one = path + "/{id}";
    add_guarded(router, "GET", path, [&answers](const auto& request) { return answers.list(request); });
    add_guarded(router, "POST", path, [&answers](const auto& request) { return answers.add(request); });
    add_guarded(router, "GET", one, [&answers](const auto& request) { return answers.get(request); });
    add_guarded(router, "PUT", one, [&answers](const auto& request) { return answers.replace(request); });
    add_guarded(router, "DELETE", one, [&answers](const auto& request) { return answers.remove(request); });
    add_guarded(router, "POST", fmt::format("{}/{}", one, trial),
                [&answers](const auto& request) { return answers.send(request); });
  }

  void add_catalog(http::Router& router) {
    add_guarded(router, "GET", "/v1/sites", [this](const auto&) { return reports_.sites(); });
    add_guarded(router, "POST", "/v1/sites",
                [this](const auto& request) { return catalog_answers_.add_site(request); });
    add_guarded(router, "PUT", "/v1/sites/{site}",
                [this](const auto& request) { return catalog_answers_.replace_site(request); });
    add_guarded(router, "GET", "/v1/retention", [this](const auto&) { return catalog_answers_.retention(); });
    add_guarded(router, "GET", "/v1/sites/{site}/keys",
                [this](const auto& request) { return catalog_answers_.keys(request); });
    add_guarded(router, "DELETE", "/v1/sites/{site}/keys/{key}",
                [this](const auto& request) { return catalog_answers_.remove_key(request); });
    add_guarded(router, "POST", "/v1/sites/{site}/keys",
                [this](const auto& request) { return catalog_answers_.add_key(request); });
    add_guarded(router, "GET", "/v1/sites/{site}/{kind}",
                [this](const auto& request) { return catalog_answers_.items(request); });
    add_guarded(router, "POST", "/v1/sites/{site}/{kind}",
                [this](const auto& request) { return catalog_answers_.put_item(request); });
    add_definitions(router, "/v1/campaigns", campaigns_);
    add_definitions(router, "/v1/slots", slots_);
    add_guarded(router, "GET", "/v1/clusters", [this](const auto&) { return clusters(); });
    add_guarded(router, "DELETE", "/v1/profiles/{user_id*}",  // Ids may have slashes.
                [this](const auto& request) { return erase_profile(request); });
    add_guarded(router, "DELETE", "/v1/users/{user_id*}",
                [this](const auto& request) { return privacy_.erase(request); });
    add_guarded(router, "GET", "/v1/users/{user_id*}",
                [this](const auto& request) { return privacy_.export_user(request); });
    add_guarded(router, "GET", "/v1/erasures", [this](const auto& request) { return privacy_.list(request); });
    add_guarded(router, "GET", "/v1/erasures/{id}", [this](const auto& request) { return privacy_.get(request); });
  }

  void add_accounts(http::Router& router) {
    const auto add_own = [&router](const char* method, const char* path, auto answer) {
      router.add(method, path, [answer](http::Request request, http::Responder responder) {
        answer(std::move(request), std::move(responder));
      });
    };
    router.add_blocking("GET", "/v1/session", [this](const auto& request) { return session_answers_.get(request); });
    add_own("POST", "/v1/session", [this](auto request, auto responder) {
      session_answers_.sign_in(std::move(request), std::move(responder));
    });
    router.add_blocking("DELETE", "/v1/session",
                        [this](const auto& request) { return session_answers_.sign_out(request); });
    add_own("PUT", "/v1/session/password", [this](auto request, auto responder) {
      session_answers_.change_password(std::move(request), std::move(responder));
    });
    router.add_blocking("GET", "/v1/session/oidc",
                        [this](const auto& request) { return oidc_answers_.begin(request); });
    router.add_blocking("GET", "/v1/session/oidc/callback",
                        [this](const auto& request) { return oidc_answers_.finish(request); });
    const std::string all = "/v1/accounts", one = "/v1/accounts/{name}";
    add_guarded(router, "GET", all, [this](const auto&) { return account_answers_.list(); });
    add_own("POST", "/v1/accounts",
            [this](auto request, auto responder) { account_answers_.add(std::move(request), std::move(responder)); });
    add_guarded(router, "DELETE", one, [this](const auto& request) { return account_answers_.remove(request); });
    add_guarded(router, "PUT", one + "/role",
                [this](const auto& request) { return account_answers_.set_role(request); });
    add_own("PUT", "/v1/accounts/{name}/password", [this](auto request, auto responder) {
      account_answers_.set_password(std::move(request), std::move(responder));
    });
    add_guarded(router, "DELETE", one + "/sessions",
                [this](const auto& request) { return account_answers_.end_sessions(request); });
    add_guarded(router, "GET", "/v1/audit", [this](const auto& request) { return account_answers_.audit(request); });
  }

  void add_operation(http::Router& router) {
    add_guarded(router, "GET", "/v1/status", [this](const auto&) { return status(); });
    add_guarded(router, "GET", "/v1/pipeline", [this](const auto&) {
      auto response = http::Response::json(200, pipeline_json(*watch_.pipeline(), options_.pipeline));
      response.headers.set("Cache-Control", "no-store");
      return response;
    });
    add_guarded(router, "GET", "/v1/models", [this](const auto&) {
      const auto json = options_.models ? options_.models() : std::string();
      if (json.empty())
        return error_answer(404,
                            "no model is learned here: decisions.policy says otherwise, or ads are served elsewhere");
      auto response = http::Response::json(200, json);
      response.headers.set("Cache-Control", "no-store");
      return response;
    });
    add_guarded(router, "GET", "/v1/dead-letters",
                [this](const auto& request) { return letter_answers_.list(request); });
    add_guarded(router, "POST", "/v1/dead-letters/replay",
                [this](const auto& request) { return letter_answers_.replay(request); });
    router.add("GET", "/healthz", [](const http::Request&, http::Responder responder) {
      responder.send(http::Response::text(200, "ok\n"));
    });
    router.add("GET", "/readyz", [this](const http::Request&, http::Responder responder) {
      const std::string waiting_for = options_.not_ready();
      responder.send(waiting_for.empty() ? http::Response::text(200, "ready\n")
                                         : http::Response::text(503, waiting_for + "\n"));
    });
    router.add_blocking("GET", "/metrics", [this](const http::Request&) {
      auto response = http::Response::text(200, metrics::render(*options_.metrics));
      response.headers.set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
      return response;
    });
    router.add("GET", "/openapi.json", [](const http::Request&, http::Responder responder) {
      responder.send(http::Response::json(200, openapi_json()));
    });
  }

  http::Response clusters() {
    Json all = Json::array();
    for (const auto& [segment, users] : options_.clusters()) all.push_back({{"segment", segment}, {"users", users}});
    return json_answer(200, {{"clusters", std::move(all)}});
  }

  /// The same answer whether there was one: who asks is not told who is known.
  http::Response erase_profile(const http::Request& request) {
    const auto site = request.query_parameter("site").value_or("");
    if (!catalog_.site(site)) return error_answer(400, "site: expected the id of a site", "site");
    if (auto erased = options_.erase_profile(site, std::string(request.path_parameter("user_id"))); !erased)
      return error_answer(erased.error());
    http::Response answer;
    answer.status = 204;
    return answer;
  }

  http::Response status() {
    auto loader = loader_.status();
    Json partitions = Json::array();
    const auto add = [&](log::Range kept) { partitions.push_back({{"begin", kept.begin}, {"end", kept.end}}); };
    if (loader_.partitions().empty()) {
      // Looked at now and not taken from the watch: an import compares these numbers with what it has sent.
      const auto look = ingest::look_at_pipeline(store_, log_, options_.pipeline.topic);
      if (!look.log) return error_answer(Error::retry("the log does not answer"));
      add_others(loader, look);
      for (const auto& standing : *look.log) add(standing.kept);
    } else {
      for (log::Partition p = 0; p < log_.partitions(); ++p) add({log_.begin(p), log_.end(p)});
    }
    return json_answer(200, {{"version", options_.version},
                             {"is_ready", options_.not_ready().empty()},
                             {"loader",
                              {{"events_landed", loader.events_landed},
                               {"repeats_dropped", loader.repeats_dropped},
                               {"dead_letters", loader.dead_letters},
                               {"batches", loader.batches},
                               {"recoveries", loader.recoveries},
                               {"lag_events", loader.lag_events},
                               {"last_error", loader.last_error}}},
                             {"log", {{"partitions", std::move(partitions)}}}});
  }

  /// What loaders of other processes have done.
  static void add_others(ingest::LoaderStatus& sum, const ingest::PipelineLook& look) {
    for (const auto& one : look.told.value_or(std::vector<ingest::PartitionStatus>())) {
      sum.events_landed += one.events_landed;
      sum.repeats_dropped += one.repeats_dropped;
      sum.dead_letters += one.dead_letters;
      if (sum.last_error.empty()) sum.last_error = one.last_error;
    }
    for (const auto& standing : *look.log)
      sum.lag_events += standing.kept.end - std::min(standing.landed, standing.kept.end);
  }

  const ApiOptions options_;
  catalog::Catalog& catalog_;
  clickhouse::Client& store_;
  ingest::Loader& loader_;
  log::EventLog& log_;
  ingest::PipelineWatch& watch_;
  access::Sessions sessions_;
  const Gate gate_;
  ReportAnswers reports_;
  SqlAnswers sql_;
  SavedAnswers saved_;
  SegmentKeeper segments_;
  JourneyKeeper journeys_;
  SegmentAnswers segment_answers_;
  ScheduledReports scheduled_;
  notify::Notifier notifier_;
  DeliveryAnswers delivery_answers_;
  AlertAnswers alert_answers_;
  ProgressiveAnswers progressive_;
  CatalogAnswers catalog_answers_;
  DefinitionAnswers campaigns_, slots_;
  LetterAnswers letter_answers_;
  PrivacyAnswers privacy_;
  const PageFiles console_, demo_;
  const SdkFiles sdk_;
  LiveFeed live_;
  LiveCampaigns live_campaigns_;
  SessionAnswers session_answers_;
  AccountAnswers account_answers_;
  OidcAnswers oidc_answers_;
  access::PasswordQueue passwords_;  ///< Last: what it still does when all ends uses the others.
};

Api::Api(ApiOptions options, catalog::Catalog& catalog, clickhouse::Client& store, clickhouse::Client& unhurried,
         ingest::Loader& loader, log::EventLog& log, ingest::PipelineWatch& watch, ingest::DeadLetterOffice& letters)
    : impl_(std::make_unique<Impl>(std::move(options), catalog, store, unhurried, loader, log, watch, letters)) {}
Api::~Api() = default;
void Api::add_routes(http::Router& router) { impl_->add_routes(router); }
void Api::landed() { impl_->landed(); }
void Api::start_notifier() { impl_->start_notifier(); }
void Api::stop() { impl_->stop(); }

}  // namespace marquee::api
