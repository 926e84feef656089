#include "report_answers.h"

#include <fmt/format.h>

#include <iterator>
#include <map>

#include "answers.h"
#include "report_json.h"

namespace marquee::api {
namespace {

using analytics::Scope;

/// As text, not as Json: a month by the hour has tens of thousands of points, and making a Json of each took longer
/// than counting them.
void append_series(std::string& out, const analytics::CampaignSeries& series, const std::string& name) {
  Json one = {{"id", series.id}, {"name", name}};
  one.update(rate_json(series.total));
  out += open_object(one) + R"(,"points":[)";
  for (const auto& point : series.points) {
    if (out.back() == '}') out += ',';
    fmt::format_to(std::back_inserter(out), R"({{"time":"{}",)", time_text(point.time_ms));
    append_rate(out, point.rate);
    out += '}';
  }
  out += "]}";
}

}  // namespace

Result<Scope> ReportAnswers::scope(const http::Request& request) const {
  const auto text = [&](const char* name) { return request.query_parameter(name).value_or(""); };
  auto scope = scope_of(text("site"), text("from"), text("to"));
  if (scope) scope->is_fresh = wants_fresh(request);
  return scope;
}

Result<Scope> ReportAnswers::scope_of(std::string site, const std::string& from, const std::string& to) const {
  if (site.empty()) return Error::reject("site: missing");
  if (!catalog_.site(site)) return Error::reject(fmt::format("site: there is no site \"{}\"", site.substr(0, 128)));
  Scope scope{.site = std::move(site), .from_ms = {}, .to_ms = {}};
  if (!from.empty()) {
    const auto time = time_of(from, "from");
    if (!time) return time.error();
    scope.from_ms = *time;
  }
  if (!to.empty()) {
    const auto time = time_of(to, "to");
    if (!time) return time.error();
    scope.to_ms = *time;
  }
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
  std::string text = open_object(body) + R"(,"campaigns":[)";
  for (const auto& series : report->campaigns) {
    const auto name = names.find(series.id);
    if (text.back() == '}') text += ',';
    append_series(text, series, name == names.end() ? series.id : name->second);
  }
  return json_text_answer(200, text + "]}");
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
