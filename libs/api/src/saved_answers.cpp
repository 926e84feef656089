#include "saved_answers.h"

#include <fmt/format.h>

#include <optional>
#include <tuple>

#include "versions.h"

namespace marquee::api {
namespace {

Json saved_json(const catalog::SavedReport& report) {
  return {{"id", report.id},
          {"name", report.name},
          {"kind", report.kind},
          {"site", report.site_id},
          {"parameters", Json::parse(report.parameters)},
          {"owner", report.owner},
          {"made", time_text(report.made_ms)},
          {"changed", time_text(report.changed_ms)},
          {"address", "/r/" + report.id}};
}

constexpr std::string_view kSavedThing = "saved report";

http::Response saved_answer(unsigned status, const catalog::SavedReport& report) {
  return with_version(json_answer(status, saved_json(report)), report.changed_ms);
}

}  // namespace

Result<catalog::SavedReport> SavedAnswers::described(const http::Request& request) {
  const auto body = read_object(request, {"name", "kind", "parameters", "owner"});
  if (!body) return body.error();
  catalog::SavedReport report;
  for (auto [name, value, otherwise] : {std::tuple("name", &report.name, std::optional<std::string>()),
                                        {"kind", &report.kind, std::nullopt},
                                        {"owner", &report.owner, request.actor}}) {
    auto text = text_of(*body, name, otherwise);
    if (!text) return text.error();
    *value = std::move(*text);
  }
  const auto parameters = body->find("parameters");
  if (parameters == body->end() || !parameters->is_object()) return Error::reject("parameters: expected an object");
  auto site = checked_site(report.kind, *parameters);
  if (!site) return site.error();
  report.site_id = std::move(*site);
  report.parameters = parameters->dump();
  return report;
}

Result<std::string> SavedAnswers::checked_site(std::string_view kind, const Json& parameters) {
  if (kind != catalog::kSavedQuery) {
    const auto asked = reports_.report_of(kind, parameters, /*is_fresh=*/false);
    if (!asked) return asked.error();
    return asked->at("site").get<std::string>();
  }
  const auto known = require_object(parameters, {"site", "sql", "chart"});
  if (!known) return Error::reject("parameters." + known.error().message);
  auto site = text_of(parameters, "site", std::nullopt);
  auto sql = text_of(parameters, "sql", std::nullopt), chart = text_of(parameters, "chart", "");
  for (const auto* text : {&site, &sql, &chart})
    if (!*text) return Error::reject("parameters." + text->error().message);
  if (!catalog_.site(*site)) return Error::reject(fmt::format("site: there is no site \"{}\"", site->substr(0, 128)));
  if (auto checked = sql_.check(*sql); !checked) return checked.error();
  return *site;
}

http::Response SavedAnswers::list(const http::Request& request) {
  const auto reports = catalog_.saved_reports(request.query_parameter("site").value_or(""));
  if (!reports) return error_answer(reports.error());
  Json list = Json::array();
  for (const auto& report : *reports) list.push_back(saved_json(report));
  return json_answer(200, {{"saved_reports", std::move(list)}});
}

http::Response SavedAnswers::add(const http::Request& request) {
  auto report = described(request);
  if (!report) return error_answer(report.error());
  const auto added = catalog_.add_saved_report(std::move(*report), request.actor);
  return added ? saved_answer(201, *added) : error_answer(added.error());
}

http::Response SavedAnswers::get(const http::Request& request) {
  const auto report = catalog_.saved_report(request.path_parameter("id"));
  if (!report) return error_answer(report.error());
  return *report ? saved_answer(200, **report) : not_done(catalog::Edit::missing, kSavedThing, request);
}

http::Response SavedAnswers::replace(const http::Request& request) {
  auto report = described(request);
  if (!report) return error_answer(report.error());
  report->id = request.path_parameter("id");
  const auto replaced = catalog_.replace_saved_report(*report, wanted_version(request), request.actor);
  if (!replaced) return error_answer(replaced.error());
  return *replaced == catalog::Edit::done ? saved_answer(200, *report) : not_done(*replaced, kSavedThing, request);
}

http::Response SavedAnswers::remove(const http::Request& request) {
  const auto id = request.path_parameter("id");
  return removed_answer(catalog_.remove_saved_report(id, wanted_version(request), request.actor), kSavedThing, request);
}

http::Response SavedAnswers::answer(const http::Request& request) {
  const auto report = catalog_.saved_report(request.path_parameter("id"));
  if (!report) return error_answer(report.error());
  if (!*report) return not_done(catalog::Edit::missing, kSavedThing, request);
  if ((*report)->kind == catalog::kSavedQuery)
    return error_answer(422, "this is a query: an analyst asks its sql at POST /v1/sql, or in the console");
  return reports_.answer_saved(**report, request);
}

}  // namespace marquee::api
