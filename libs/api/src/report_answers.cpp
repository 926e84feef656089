#include "report_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>

#include "answers.h"
#include "funnel_answers.h"
#include "report_json.h"
#include "saved_request.h"
#include "segment_definition.h"

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

const std::array<ReportAnswers::Kind, 9> ReportAnswers::kKinds = {{{"ctr", &ReportAnswers::ctr},
                                                                   {"metrics", &ReportAnswers::metrics},
                                                                   {"heatmap", &ReportAnswers::heatmap},
                                                                   {"funnel", &ReportAnswers::funnel},
                                                                   {"searches", &ReportAnswers::searches},
                                                                   {"paths", &ReportAnswers::paths},
                                                                   {"retention", &ReportAnswers::retention},
                                                                   {"campaigns", &ReportAnswers::campaigns},
                                                                   {"segments", &ReportAnswers::segments}}};

std::vector<std::string_view> ReportAnswers::kinds() {
  std::vector<std::string_view> names;
  for (const auto& kind : kKinds) names.push_back(kind.name);
  return names;
}

Result<Json> ReportAnswers::report(std::string_view kind, const http::Request& request) {
  const auto known = std::ranges::find(kKinds, kind, &Kind::name);
  if (known == kKinds.end()) return Error::reject(fmt::format("kind: expected one of {}", fmt::join(kinds(), ", ")));
  return (this->*known->report)(request);
}

http::Response ReportAnswers::answer(std::string_view kind, const http::Request& request) {
  const auto format = wanted_format(request);
  if (!format) return error_answer(format.error());
  if (kind == "campaigns" && *format == ReportFormat::json) {
    const auto text = campaigns_text(request);
    return text ? json_text_answer(200, *text) : error_answer(text.error());
  }
  return file_of(kind, report(kind, request), *format);
}

http::Response ReportAnswers::funnel_of_body(const http::Request& request) {
  const auto format = wanted_format(request);
  if (!format) return error_answer(format.error());
  return file_of("funnel", funnel_of(api::funnel_body(request), wants_fresh(request), {}), *format);
}

http::Response ReportAnswers::file_of(std::string_view kind, const Result<Json>& report, ReportFormat format) {
  if (!report) return error_answer(report.error());
  return report_file(kind, *report, format, report_title(kind, *report), store_);
}

Result<Json> ReportAnswers::report_of(std::string_view kind, const Json& parameters, bool is_fresh) {
  if (kind == "funnel") {
    if (auto known = check_funnel_members(parameters); !known) return known.error();
    return funnel_of(parameters, is_fresh, {});
  }
  if (std::ranges::find(kKinds, kind, &Kind::name) == kKinds.end()) return report(kind, {});
  auto request = request_of(kind, parameters);
  if (!request) return request.error();
  if (is_fresh) request->headers.add("Cache-Control", "no-cache");
  return report(kind, *request);
}

http::Response ReportAnswers::answer_saved(const catalog::SavedReport& saved, const http::Request& request) {
  const auto format = wanted_format(request);
  if (!format) return error_answer(format.error());
  const auto report = report_of(saved.kind, Json::parse(saved.parameters), wants_fresh(request));
  if (!report) return error_answer(report.error());
  return report_file(saved.kind, *report, *format, saved.name, store_);
}

Result<Scope> ReportAnswers::scope(const http::Request& request) const {
  const auto text = [&](const char* name) { return request.query_parameter(name).value_or(""); };
  auto scope = scope_of(text("site"), {text("from"), text("to"), text("last")});
  if (scope) scope->is_fresh = wants_fresh(request);
  return scope;
}

Result<Scope> ReportAnswers::scope_of(std::string site, const TimesAsked& times) const {
  if (site.empty()) return Error::reject("site: missing");
  if (!catalog_.site(site)) return Error::reject(fmt::format("site: there is no site \"{}\"", site.substr(0, 128)));
  const auto range = range_of(times, std::chrono::system_clock::now());
  if (!range) return range.error();
  auto segments = segments_of(catalog_, site);
  if (!segments) return segments.error();
  Scope scope{.site = std::move(site), .from_ms = range->from_ms, .to_ms = range->to_ms};
  scope.segments = std::move(*segments);
  return scope;
}

Result<Json> ReportAnswers::campaigns(const http::Request& request) {
  const auto text = campaigns_text(request);
  if (!text) return text.error();
  return Json::parse(*text);
}

Result<std::string> ReportAnswers::campaigns_text(const http::Request& request) {
  auto asked = scope(request);
  if (!asked) return asked.error();
  const auto interval = choice_parameter(request, "interval", {"hour", "minute", "day"});
  if (!interval) return interval.error();
  const auto filters = filter_parameters(request);
  if (!filters) return filters.error();
  const auto report = reports_.campaigns({.scope = *asked, .interval = *interval, .filters = *filters});
  if (!report) return report.error();
  const auto items = catalog_.items(asked->site, catalog::ItemKind::campaign);
  if (!items) return items.error();
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
  return text + "]}";
}

http::Response ReportAnswers::sites() {
  const auto sites = catalog_.sites();
  std::vector<std::string> ids;
  for (const auto& site : sites) ids.push_back(site.id);
  const auto summaries = reports_.sites(ids);
  if (!summaries) return error_answer(summaries.error());
  Json list = Json::array();
  for (const auto& site : sites) {
    const auto found = summaries->find(site.id);
    const bool is_empty = found == summaries->end() || found->second.events == 0;
    list.push_back({{"id", site.id},
                    {"name", site.name},
                    {"allowed_origin", site.allowed_origin},
                    {"consent_required", site.consent_required},
                    {"events", is_empty ? 0 : found->second.events},
                    {"first_event", is_empty ? Json(nullptr) : Json(time_text(found->second.first_ms))},
                    {"last_event", is_empty ? Json(nullptr) : Json(time_text(found->second.last_ms))}});
  }
  return json_answer(200, {{"sites", std::move(list)}});
}

}  // namespace marquee::api
