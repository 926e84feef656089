// Reports of what users did: searches, paths, retention.
#include "answers.h"
#include "report_answers.h"
#include "report_json.h"

namespace marquee::api {
namespace {

Json term_json(const analytics::SearchTerm& term) {
  return {{"searches", term.searches},
          {"users", term.users},
          {"without_results", term.without_results},
          {"without_click", term.without_click}};
}

}  // namespace

Result<Json> ReportAnswers::searches(const http::Request& request) {
  auto asked = scope(request);
  if (!asked) return asked.error();
  const auto least = whole_parameter(request, "min_searches", 1);
  if (!least) return least.error();
  const auto limit = whole_parameter(request, "limit", 1000);
  if (!limit) return limit.error();
  const auto filters = filter_parameters(request);
  if (!filters) return filters.error();
  const auto report =
      reports_.searches({.scope = *asked, .min_searches = *least, .limit = *limit, .filters = *filters});
  if (!report) return report.error();
  Json body = head(*asked);
  body["source"] = "events";
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

Result<Json> ReportAnswers::paths(const http::Request& request) {
  auto asked = scope(request);
  if (!asked) return asked.error();
  const auto steps = whole_parameter(request, "steps", 5);
  if (!steps) return steps.error();
  const auto places = whole_parameter(request, "places", 10);
  if (!places) return places.error();
  const auto filters = filter_parameters(request);
  if (!filters) return filters.error();
  analytics::PathsRequest paths{.scope = *asked,
                                .by = request.query_parameter("by").value_or("page_id"),
                                .start = request.query_parameter("start"),
                                .steps = *steps,
                                .places = *places,
                                .filters = *filters};
  if (request.query_parameter("events")) paths.events = list_parameter(request, "events");
  const auto report = reports_.paths(paths);
  if (!report) return report.error();
  Json body = head(*asked);
  body["by"] = paths.by;
  body["source"] = "events";
  body["sessions"] = report->sessions;
  body["nodes"] = Json::array();
  for (const auto& node : report->nodes)
    body["nodes"].push_back({{"step", node.step},
                             {"place", node.is_all_others ? Json(nullptr) : Json(node.place)},
                             {"sessions", node.sessions},
                             {"ended", node.ended}});
  body["links"] = Json::array();
  for (const auto& link : report->links)
    body["links"].push_back({{"from", link.from}, {"to", link.to}, {"sessions", link.sessions}});
  return body;
}

Result<Json> ReportAnswers::retention(const http::Request& request) {
  auto asked = scope(request);
  if (!asked) return asked.error();
  const auto interval = choice_parameter(request, "interval", {"day", "week"});
  if (!interval) return interval.error();
  const auto filters = filter_parameters(request);
  if (!filters) return filters.error();
  const auto report = reports_.retention({.scope = *asked,
                                          .interval = *interval,
                                          .start = list_parameter(request, "start"),
                                          .back = list_parameter(request, "back"),
                                          .filters = *filters});
  if (!report) return report.error();
  Json body = head(*asked);
  body["interval"] = *interval;
  body["source"] = report->source;
  body["cohorts"] = Json::array();
  for (const auto& cohort : report->cohorts)
    body["cohorts"].push_back({{"time", time_text(cohort.time_ms)}, {"users", cohort.users}, {"back", cohort.back}});
  return body;
}

}  // namespace marquee::api
