// /v1/reports/*: parameters in, reports out.
#pragma once

#include <string>

#include "answers.h"
#include "marquee/analytics/reports.h"
#include "marquee/catalog/catalog.h"
#include "marquee/http/message.h"

namespace marquee::api {

/// Thread safe; blocks while the store answers.
class ReportAnswers {
 public:
  ReportAnswers(catalog::Catalog& catalog, clickhouse::Client& store, bool can_remember)
      : catalog_(catalog), reports_(store, can_remember) {}

  [[nodiscard]] http::Response ctr(const http::Request& request);
  [[nodiscard]] http::Response metrics(const http::Request& request);
  /// The body of metrics(): exact, or from a share of the users. `query_id`: of its query in the store; empty: any.
  [[nodiscard]] Result<Json> metrics_body(const http::Request& request, std::optional<double> fraction,
                                          const std::string& query_id);
  /// How many events it would read; 0 where a rollup answers.
  [[nodiscard]] Result<std::uint64_t> events_of_metrics(const http::Request& request);
  /// `sample`: a share of the users; absent: not given.
  [[nodiscard]] static Result<std::optional<double>> sample_parameter(const http::Request& request);
  /// What metrics() can be asked for.
  [[nodiscard]] static http::Response model();
  [[nodiscard]] http::Response heatmap(const http::Request& request);
  /// GET, for what fits into an address; POST for the whole definition.
  [[nodiscard]] http::Response funnel(const http::Request& request);
  [[nodiscard]] http::Response funnel_of_body(const http::Request& request);
  [[nodiscard]] http::Response searches(const http::Request& request);
  [[nodiscard]] http::Response paths(const http::Request& request);
  [[nodiscard]] http::Response retention(const http::Request& request);
  [[nodiscard]] http::Response campaigns(const http::Request& request);
  [[nodiscard]] http::Response sites();

 private:
  /// The request's site and times. A site that is not known is Action::reject.
  [[nodiscard]] Result<analytics::Scope> scope(const http::Request& request) const;
  [[nodiscard]] http::Response funnel_of(const Result<Json>& definition, bool is_fresh);
  /// Where the last two are absent or empty, the scope has no such end.
  [[nodiscard]] Result<analytics::Scope> scope_of(std::string site, const std::string& from,
                                                  const std::string& to) const;
  /// The same with what tables are asked for besides.
  [[nodiscard]] Result<analytics::TableRequest> table(const http::Request& request) const;

  catalog::Catalog& catalog_;
  analytics::Reports reports_;
};

}  // namespace marquee::api
