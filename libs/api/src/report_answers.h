// /v1/reports/*: parameters in, reports out.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "answers.h"
#include "marquee/analytics/funnel.h"
#include "marquee/analytics/reports.h"
#include "marquee/catalog/catalog.h"
#include "marquee/http/message.h"
#include "relative_times.h"
#include "report_files.h"

namespace marquee::api {

/// Thread safe; blocks while the store answers.
class ReportAnswers {
 public:
  ReportAnswers(catalog::Catalog& catalog, clickhouse::Client& store, bool can_remember)
      : catalog_(catalog), store_(store), reports_(store, can_remember) {}

  /// Of the reports that answer() gives: "ctr", "funnel", ...
  [[nodiscard]] static std::vector<std::string_view> kinds();
  /// GET /v1/reports/<kind>, in the format that is asked for.
  [[nodiscard]] http::Response answer(std::string_view kind, const http::Request& request);
  /// POST /v1/reports/funnel: the whole definition.
  [[nodiscard]] http::Response funnel_of_body(const http::Request& request);
  /// What is asked for as it would be asked of /v1/reports/<kind>. Action::reject names the parameter that is wrong.
  [[nodiscard]] Result<Json> report(std::string_view kind, const http::Request& request);
  /// The same of parameters that are kept as JSON: text, numbers or lists of them by name; of a funnel its definition.
  /// Action::reject also names a parameter that there is not.
  [[nodiscard]] Result<Json> report_of(std::string_view kind, const Json& parameters, bool is_fresh);
  /// How much of a report is counted, and by what name its query can be ended.
  struct Extent {
    std::optional<double> fraction = {};  ///< A share of the users, from which all are estimated; absent: everything.
    std::string query_id = {};            ///< In the store; empty: any.
  };
  /// Reports that can be estimated. Of a POST the body is the definition.
  struct Steps {
    std::string_view name;
    Result<Json> (ReportAnswers::*body)(const http::Request&, const Extent&);
    /// How many events the exact one reads; 0 where a rollup answers.
    Result<std::uint64_t> (ReportAnswers::*events)(const http::Request&);
  };
  [[nodiscard]] static std::span<const Steps> in_steps();
  /// What a saved report says now, in the format that `request` asks for.
  [[nodiscard]] http::Response answer_saved(const catalog::SavedReport& saved, const http::Request& request);
  /// `sample`: a share of the users; absent: not given.
  [[nodiscard]] static Result<std::optional<double>> sample_parameter(const http::Request& request);
  /// What metrics() can be asked for.
  [[nodiscard]] static http::Response model();
  [[nodiscard]] http::Response sites();

 private:
  /// The request's site and times. A site that is not known is Action::reject.
  [[nodiscard]] Result<analytics::Scope> scope(const http::Request& request) const;
  [[nodiscard]] Result<Json> funnel_of(const Result<Json>& definition, bool is_fresh, const Extent& extent);
  [[nodiscard]] Result<analytics::FunnelRequest> funnel_request(const Result<Json>& definition, bool is_fresh) const;
  [[nodiscard]] Result<analytics::HeatmapRequest> heatmap_request(const http::Request& request) const;
  [[nodiscard]] Result<analytics::SearchesRequest> searches_request(const http::Request& request) const;
  [[nodiscard]] Result<analytics::PathsRequest> paths_request(const http::Request& request) const;
  [[nodiscard]] Result<analytics::RetentionRequest> retention_request(const http::Request& request) const;
  [[nodiscard]] Result<analytics::Scope> scope_of(std::string site, const TimesAsked& times) const;
  /// The same with what tables are asked for besides.
  [[nodiscard]] Result<analytics::TableRequest> table(const http::Request& request) const;

  [[nodiscard]] Result<Json> metrics_body(const http::Request& request, const Extent& extent);
  [[nodiscard]] Result<Json> heatmap_body(const http::Request& request, const Extent& extent);
  [[nodiscard]] Result<Json> funnel_body(const http::Request& request, const Extent& extent);
  [[nodiscard]] Result<Json> searches_body(const http::Request& request, const Extent& extent);
  [[nodiscard]] Result<Json> paths_body(const http::Request& request, const Extent& extent);
  [[nodiscard]] Result<Json> retention_body(const http::Request& request, const Extent& extent);
  [[nodiscard]] Result<std::uint64_t> events_of_metrics(const http::Request& request);
  [[nodiscard]] Result<std::uint64_t> events_of_heatmap(const http::Request& request);
  [[nodiscard]] Result<std::uint64_t> events_of_funnel(const http::Request& request);
  [[nodiscard]] Result<std::uint64_t> events_of_searches(const http::Request& request);
  [[nodiscard]] Result<std::uint64_t> events_of_paths(const http::Request& request);
  [[nodiscard]] Result<std::uint64_t> events_of_retention(const http::Request& request);
  /// As much as the request's `sample` says.
  [[nodiscard]] Result<Json> sampled(const http::Request& request,
                                     Result<Json> (ReportAnswers::*body)(const http::Request&, const Extent&));

  [[nodiscard]] Result<Json> ctr(const http::Request& request);
  [[nodiscard]] Result<Json> metrics(const http::Request& request);
  [[nodiscard]] Result<Json> heatmap(const http::Request& request);
  [[nodiscard]] Result<Json> funnel(const http::Request& request);
  [[nodiscard]] Result<Json> searches(const http::Request& request);
  [[nodiscard]] Result<Json> paths(const http::Request& request);
  [[nodiscard]] Result<Json> retention(const http::Request& request);
  [[nodiscard]] Result<Json> campaigns(const http::Request& request);
  [[nodiscard]] Result<Json> segments(const http::Request& request);
  /// "experiments": how many users each has whose arms the dimensions tell apart; nothing where there is none.
  [[nodiscard]] Result<void> add_experiments(Json& body, const analytics::Scope& scope,
                                             const std::vector<std::string>& by,
                                             const std::vector<analytics::Filter>& filters);
  [[nodiscard]] Result<std::string> campaigns_text(const http::Request& request);

  struct Kind {
    std::string_view name;
    Result<Json> (ReportAnswers::*report)(const http::Request&);
  };
  static const std::array<Kind, 9> kKinds;
  [[nodiscard]] http::Response file_of(std::string_view kind, const Result<Json>& report, ReportFormat format);

  catalog::Catalog& catalog_;
  clickhouse::Client& store_;
  analytics::Reports reports_;
};

}  // namespace marquee::api
