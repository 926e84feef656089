#include "report_answers.h"

#include <fmt/format.h>

#include <map>

#include "answers.h"
#include "report_json.h"

namespace marquee::api {
namespace {

using analytics::Scope;

Json share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Result<Scope> ReportAnswers::scope(const http::Request& request) const {
  Scope scope;
  scope.site = request.query_parameter("site").value_or("");
  if (scope.site.empty()) return Error::reject("site: missing");
  if (!catalog_.site(scope.site))
    return Error::reject(fmt::format("site: there is no site \"{}\"", scope.site.substr(0, 128)));
  auto from = time_parameter(request, "from");
  if (!from) return from.error();
  auto to = time_parameter(request, "to");
  if (!to) return to.error();
  scope.from_ms = *from;
  scope.to_ms = *to;
  // RFC 9111: who says so wants no answer from a cache.
  scope.is_fresh = request.headers.get("Cache-Control").find("no-cache") != std::string_view::npos;
  return scope;
}

http::Response ReportAnswers::heatmap(const http::Request& request) {
  auto asked = scope(request);
  if (!asked) return error_answer(asked.error());
  const auto mode = choice_parameter(request, "mode", {"positions", "cells", "page"});
  if (!mode) return error_answer(mode.error());
  const auto filters = filter_parameters(request);
  if (!filters) return error_answer(filters.error());
  using enum analytics::HeatmapMode;
  const auto report = reports_.heatmap({.scope = *asked,
                                        .mode = *mode == "cells"  ? cells
                                                : *mode == "page" ? page
                                                                  : positions,
                                        .slot = request.query_parameter("slot").value_or(""),
                                        .page = request.query_parameter("page").value_or(""),
                                        .filters = *filters});
  if (!report) return error_answer(report.error());
  Json body = head(*asked);
  body["mode"] = *mode;
  body["source"] = report->source;
  body["cells"] = Json::array();
  for (const auto& cell : report->cells) {
    body["cells"].push_back({{"slot", cell.slot},
                             {"x", cell.x},
                             {"y", cell.y},
                             {"impressions", cell.impressions},
                             {"viewable_impressions", cell.viewable_impressions},
                             {"hovers", cell.hovers},
                             {"clicks", cell.clicks},
                             {"ctr", share(cell.clicks, cell.impressions)},
                             {"viewability", share(cell.viewable_impressions, cell.impressions)}});
  }
  return json_answer(200, body);
}

http::Response ReportAnswers::funnel(const http::Request& request) {
  auto asked = scope(request);
  if (!asked) return error_answer(asked.error());
  const auto window = whole_parameter(request, "window_seconds", 3600);
  if (!window) return error_answer(window.error());
  const auto order = choice_parameter(request, "order", {"ordered", "strict"});
  if (!order) return error_answer(order.error());
  const auto report = reports_.funnel({.scope = *asked,
                                       .steps = list_parameter(request, "steps"),
                                       .window_seconds = *window,
                                       .is_strict = *order == "strict"});
  if (!report) return error_answer(report.error());
  Json body = head(*asked);
  body["window_seconds"] = *window;
  body["order"] = *order;
  body["steps"] = Json::array();
  for (std::size_t i = 0; i < report->steps.size(); ++i) {
    const auto& step = report->steps[i];
    body["steps"].push_back({{"name", step.name},
                             {"users", step.users},
                             {"from_previous", i == 0 ? Json(nullptr) : share(step.users, report->steps[i - 1].users)},
                             {"from_first", share(step.users, report->steps.front().users)},
                             {"median_ms_from_previous", number_or_null(step.median_ms_from_previous)}});
  }
  body["median_ms_total"] = number_or_null(report->median_ms_total);
  return json_answer(200, body);
}

http::Response ReportAnswers::campaigns(const http::Request& request) {
  auto asked = scope(request);
  if (!asked) return error_answer(asked.error());
  const auto interval = choice_parameter(request, "interval", {"hour", "minute", "day"});
  if (!interval) return error_answer(interval.error());
  const auto report = reports_.campaigns({.scope = *asked, .interval = *interval});
  if (!report) return error_answer(report.error());
  const auto items = catalog_.items(asked->site, catalog::ItemKind::campaign);
  if (!items) return error_answer(items.error());
  std::map<std::string, std::string> names;
  for (const auto& item : *items) names.emplace(item.id, item.name);
  Json body = head(*asked);
  body["interval"] = *interval;
  body["source"] = report->source;
  body["total"] = rate_json(report->total);
  body["campaigns"] = Json::array();
  for (const auto& series : report->campaigns) {
    const auto name = names.find(series.id);
    Json one = {{"id", series.id}, {"name", name == names.end() ? series.id : name->second}};
    one.update(rate_json(series.total));
    one["points"] = Json::array();
    for (const auto& point : series.points) {
      Json at = {{"time", time_text(point.time_ms)}};
      at.update(rate_json(point.rate));
      one["points"].push_back(std::move(at));
    }
    body["campaigns"].push_back(std::move(one));
  }
  return json_answer(200, body);
}

http::Response ReportAnswers::sites() {
  const auto summaries = reports_.sites();
  if (!summaries) return error_answer(summaries.error());
  Json list = Json::array();
  for (const auto& site : catalog_.sites()) {
    const auto found = summaries->find(site.id);
    const bool is_empty = found == summaries->end() || found->second.events == 0;
    list.push_back({{"id", site.id},
                    {"name", site.name},
                    {"events", is_empty ? 0 : found->second.events},
                    {"first_event", is_empty ? Json(nullptr) : Json(time_text(found->second.first_ms))},
                    {"last_event", is_empty ? Json(nullptr) : Json(time_text(found->second.last_ms))}});
  }
  return json_answer(200, {{"sites", std::move(list)}});
}

}  // namespace marquee::api
