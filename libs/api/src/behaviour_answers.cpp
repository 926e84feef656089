// Reports of what users did: searches, paths, retention.
#include "answers.h"
#include "report_answers.h"
#include "report_json.h"

namespace marquee::api {
namespace {

Json term_json(const analytics::SearchTerm& term) {
  Json body = {{"searches", term.searches},
               {"users", term.users},
               {"without_results", term.without_results},
               {"without_click", term.without_click}};
  if (term.bounds)
    body["bounds"] = {{"searches", bounds_json(term.bounds->searches)},
                      {"users", bounds_json(term.bounds->users)},
                      {"without_results", bounds_json(term.bounds->without_results)},
                      {"without_click", bounds_json(term.bounds->without_click)}};
  return body;
}

Json node_json(const analytics::PathNode& node) {
  Json body = {{"step", node.step},
               {"place", node.is_all_others ? Json(nullptr) : Json(node.place)},
               {"sessions", node.sessions},
               {"ended", node.ended}};
  if (node.bounds)
    body["bounds"] = {{"sessions", bounds_json(node.bounds->sessions)}, {"ended", bounds_json(node.bounds->ended)}};
  return body;
}

Json cohort_json(const analytics::RetentionCohort& cohort) {
  Json body = {{"time", time_text(cohort.time_ms)}, {"users", cohort.users}, {"back", cohort.back}};
  if (!cohort.users_bounds) return body;
  Json back = Json::array();
  for (const auto& bounds : cohort.back_bounds) back.push_back(bounds_json(bounds));
  body["bounds"] = {{"users", bounds_json(*cohort.users_bounds)}, {"back", std::move(back)}};
  return body;
}

}  // namespace

Result<analytics::SearchesRequest> ReportAnswers::searches_request(const http::Request& request) const {
  auto asked = scope(request);
  if (!asked) return asked.error();
  const auto least = whole_parameter(request, "min_searches", 1);
  if (!least) return least.error();
  const auto limit = whole_parameter(request, "limit", 1000);
  if (!limit) return limit.error();
  auto filters = filter_parameters(request);
  if (!filters) return filters.error();
  return analytics::SearchesRequest{
      .scope = std::move(*asked), .min_searches = *least, .limit = *limit, .filters = std::move(*filters)};
}

Result<Json> ReportAnswers::searches(const http::Request& request) {
  return sampled(request, &ReportAnswers::searches_body);
}

Result<std::uint64_t> ReportAnswers::events_of_searches(const http::Request& request) {
  const auto asked = searches_request(request);
  if (!asked) return asked.error();
  return reports_.events_to_read(*asked);
}

Result<Json> ReportAnswers::searches_body(const http::Request& request, const Extent& extent) {
  auto asked = searches_request(request);
  if (!asked) return asked.error();
  asked->query_id = extent.query_id;
  const auto report = reports_.searches(*asked, extent.fraction);
  if (!report) return report.error();
  Json body = head(asked->scope);
  body["source"] = report->source;
  body["sample"] = number_or_null(report->sampled);
  body["total"] = term_json(report->total);
  body["is_cut"] = report->is_cut;
  body["terms"] = Json::array();
  for (const auto& term : report->terms) {
    Json one = {{"term", term.term}};
    one.update(term_json(term));
    body["terms"].push_back(std::move(one));
  }
  return body;
}

Result<analytics::PathsRequest> ReportAnswers::paths_request(const http::Request& request) const {
  auto asked = scope(request);
  if (!asked) return asked.error();
  const auto steps = whole_parameter(request, "steps", 5);
  if (!steps) return steps.error();
  const auto places = whole_parameter(request, "places", 10);
  if (!places) return places.error();
  auto filters = filter_parameters(request);
  if (!filters) return filters.error();
  analytics::PathsRequest paths{.scope = std::move(*asked),
                                .by = request.query_parameter("by").value_or("page_id"),
                                .start = request.query_parameter("start"),
                                .steps = *steps,
                                .places = *places,
                                .filters = std::move(*filters)};
  if (request.query_parameter("events")) paths.events = list_parameter(request, "events");
  return paths;
}

Result<Json> ReportAnswers::paths(const http::Request& request) { return sampled(request, &ReportAnswers::paths_body); }

Result<std::uint64_t> ReportAnswers::events_of_paths(const http::Request& request) {
  const auto asked = paths_request(request);
  if (!asked) return asked.error();
  return reports_.events_to_read(*asked);
}

Result<Json> ReportAnswers::paths_body(const http::Request& request, const Extent& extent) {
  auto asked = paths_request(request);
  if (!asked) return asked.error();
  asked->query_id = extent.query_id;
  const auto report = reports_.paths(*asked, extent.fraction);
  if (!report) return report.error();
  Json body = head(asked->scope);
  body["by"] = asked->by;
  body["source"] = "events";
  body["sample"] = number_or_null(report->sampled);
  body["sessions"] = report->sessions;
  if (report->bounds) body["bounds"] = bounds_json(*report->bounds);
  body["nodes"] = Json::array();
  for (const auto& node : report->nodes) body["nodes"].push_back(node_json(node));
  body["links"] = Json::array();
  for (const auto& link : report->links) {
    Json one = {{"from", link.from}, {"to", link.to}, {"sessions", link.sessions}};
    if (link.bounds) one["bounds"] = bounds_json(*link.bounds);
    body["links"].push_back(std::move(one));
  }
  return body;
}

Result<analytics::RetentionRequest> ReportAnswers::retention_request(const http::Request& request) const {
  auto asked = scope(request);
  if (!asked) return asked.error();
  auto interval = choice_parameter(request, "interval", {"day", "week"});
  if (!interval) return interval.error();
  auto filters = filter_parameters(request);
  if (!filters) return filters.error();
  return analytics::RetentionRequest{.scope = std::move(*asked),
                                     .interval = std::move(*interval),
                                     .start = list_parameter(request, "start"),
                                     .back = list_parameter(request, "back"),
                                     .filters = std::move(*filters)};
}

Result<Json> ReportAnswers::retention(const http::Request& request) {
  return sampled(request, &ReportAnswers::retention_body);
}

Result<std::uint64_t> ReportAnswers::events_of_retention(const http::Request& request) {
  const auto asked = retention_request(request);
  if (!asked) return asked.error();
  return reports_.events_to_read(*asked);
}

Result<Json> ReportAnswers::retention_body(const http::Request& request, const Extent& extent) {
  auto asked = retention_request(request);
  if (!asked) return asked.error();
  asked->query_id = extent.query_id;
  const auto report = reports_.retention(*asked, extent.fraction);
  if (!report) return report.error();
  Json body = head(asked->scope);
  body["interval"] = asked->interval;
  body["source"] = report->source;
  body["sample"] = number_or_null(report->sampled);
  body["cohorts"] = Json::array();
  for (const auto& cohort : report->cohorts) body["cohorts"].push_back(cohort_json(cohort));
  return body;
}

}  // namespace marquee::api
