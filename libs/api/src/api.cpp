#include "marquee/api/api.h"

#include <fmt/format.h>

#include "answers.h"
#include "catalog_answers.h"
#include "console_files.h"
#include "live_feed.h"
#include "report_answers.h"

namespace marquee::api {

class Api::Impl {
 public:
  Impl(ApiOptions options, catalog::Catalog& catalog, clickhouse::Client& store, ingest::Loader& loader,
       log::EventLog& log)
      : options_(std::move(options)),
        catalog_(catalog),
        loader_(loader),
        log_(log),
        reports_(catalog, store),
        catalog_answers_(catalog),
        console_(options_.console_dir),
        live_(store, log) {}

  void add_routes(http::Router& router) {
    add_reports(router);
    add_catalog(router);
    add_operation(router);
    router.add("GET", "/", [this](const http::Request& request, http::Responder responder) {
      responder.send(console_.answer(request));
    });
    router.add("GET", "/{path*}", [this](const http::Request& request, http::Responder responder) {
      responder.send(console_.answer(request));
    });
  }

  LiveFeed& live() { return live_; }

 private:
  /// 401 unless the request carries an admin token.
  [[nodiscard]] std::optional<http::Response> refuse(const http::Request& request) const {
    constexpr std::string_view kScheme = "Bearer ";
    const std::string_view value = request.headers.get("Authorization");
    if (value.starts_with(kScheme) && catalog_.is_admin_token(value.substr(kScheme.size()))) return std::nullopt;
    auto response =
        error_answer(401, "an admin token is needed: Authorization: Bearer TOKEN; `marquee status` shows where it is");
    response.headers.add("WWW-Authenticate", "Bearer");
    return response;
  }

  template <class Handle>
  void add_admin(http::Router& router, const char* method, const char* path, Handle handle) {
    router.add_blocking(method, path, [this, handle](const http::Request& request) {
      auto refused = refuse(request);
      return refused ? std::move(*refused) : handle(request);
    });
  }

  void add_reports(http::Router& router) {
    add_admin(router, "GET", "/v1/reports/ctr", [this](const auto& request) { return reports_.ctr(request); });
    add_admin(router, "GET", "/v1/reports/heatmap", [this](const auto& request) { return reports_.heatmap(request); });
    add_admin(router, "GET", "/v1/reports/funnel", [this](const auto& request) { return reports_.funnel(request); });
    add_admin(router, "GET", "/v1/reports/campaigns",
              [this](const auto& request) { return reports_.campaigns(request); });
    router.add("GET", "/v1/live", [this](const http::Request& request, http::Responder responder) {
      if (auto refused = refuse(request)) return responder.send(std::move(*refused));
      const std::string site = request.query_parameter("site").value_or("");
      if (!catalog_.site(site)) return responder.send(error_answer(400, "site: expected the id of a site", "site"));
      live_.listen(site, std::move(responder));
    });
  }

  void add_catalog(http::Router& router) {
    add_admin(router, "GET", "/v1/sites", [this](const auto&) { return reports_.sites(); });
    add_admin(router, "POST", "/v1/sites", [this](const auto& request) { return catalog_answers_.add_site(request); });
    add_admin(router, "POST", "/v1/sites/{site}/keys",
              [this](const auto& request) { return catalog_answers_.add_key(request); });
    add_admin(router, "GET", "/v1/sites/{site}/{kind}",
              [this](const auto& request) { return catalog_answers_.items(request); });
    add_admin(router, "POST", "/v1/sites/{site}/{kind}",
              [this](const auto& request) { return catalog_answers_.put_item(request); });
  }

  void add_operation(http::Router& router) {
    add_admin(router, "GET", "/v1/status", [this](const auto&) { return status(); });
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

  http::Response status() {
    const auto loader = loader_.status();
    Json partitions = Json::array();
    for (log::Partition p = 0; p < log_.partitions(); ++p) {
      partitions.push_back({{"begin", log_.begin(p)}, {"end", log_.end(p)}});
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

  const ApiOptions options_;
  catalog::Catalog& catalog_;
  ingest::Loader& loader_;
  log::EventLog& log_;
  ReportAnswers reports_;
  CatalogAnswers catalog_answers_;
  const ConsoleFiles console_;
  LiveFeed live_;
};

Api::Api(ApiOptions options, catalog::Catalog& catalog, clickhouse::Client& store, ingest::Loader& loader,
         log::EventLog& log)
    : impl_(std::make_unique<Impl>(std::move(options), catalog, store, loader, log)) {}
Api::~Api() = default;
void Api::add_routes(http::Router& router) { impl_->add_routes(router); }
void Api::landed() { impl_->live().landed(); }
void Api::stop() { impl_->live().stop(); }

}  // namespace marquee::api
