// Reports that can be estimated from a share of the users, and what is shared between them.
#include <charconv>

#include "answers.h"
#include "report_answers.h"
#include "report_json.h"

namespace marquee::api {
namespace {

Json cell_bounds(const analytics::HeatBounds& bounds) {
  return {{"impressions", bounds_json(bounds.impressions)},
          {"viewable_impressions", bounds_json(bounds.viewable_impressions)},
          {"hovers", bounds_json(bounds.hovers)},
          {"clicks", bounds_json(bounds.clicks)},
          {"ctr", bounds_json(bounds.ctr)},
          {"viewability", bounds_json(bounds.viewability)}};
}

}  // namespace

std::span<const ReportAnswers::Steps> ReportAnswers::in_steps() {
  static constexpr std::array kSteps = {
      Steps{"metrics", &ReportAnswers::metrics_body, &ReportAnswers::events_of_metrics},
      Steps{"heatmap", &ReportAnswers::heatmap_body, &ReportAnswers::events_of_heatmap},
      Steps{"funnel", &ReportAnswers::funnel_body, &ReportAnswers::events_of_funnel},
      Steps{"searches", &ReportAnswers::searches_body, &ReportAnswers::events_of_searches},
      Steps{"paths", &ReportAnswers::paths_body, &ReportAnswers::events_of_paths},
      Steps{"retention", &ReportAnswers::retention_body, &ReportAnswers::events_of_retention}};
  return kSteps;
}

Result<std::optional<double>> ReportAnswers::sample_parameter(const http::Request& request) {
  const auto text = request.query_parameter("sample");
  if (!text) return std::optional<double>();
  double fraction = 0;
  const auto end = std::from_chars(text->data(), text->data() + text->size(), fraction);
  if (end.ec != std::errc() || end.ptr != text->data() + text->size() || !(fraction > 0 && fraction <= 1))
    return Error::reject("sample: expected a share of the users above 0, at most 1");
  return std::optional<double>(fraction);
}

Result<Json> ReportAnswers::sampled(const http::Request& request,
                                    Result<Json> (ReportAnswers::*body)(const http::Request&, const Extent&)) {
  const auto fraction = sample_parameter(request);
  if (!fraction) return fraction.error();
  return (this->*body)(request, {.fraction = *fraction});
}

Result<analytics::HeatmapRequest> ReportAnswers::heatmap_request(const http::Request& request) const {
  auto asked = scope(request);
  if (!asked) return asked.error();
  const auto mode = choice_parameter(request, "mode", {"positions", "cells", "page"});
  if (!mode) return mode.error();
  auto filters = filter_parameters(request);
  if (!filters) return filters.error();
  using enum analytics::HeatmapMode;
  return analytics::HeatmapRequest{.scope = std::move(*asked),
                                   .mode = *mode == "cells"  ? cells
                                           : *mode == "page" ? page
                                                             : positions,
                                   .slot = request.query_parameter("slot").value_or(""),
                                   .page = request.query_parameter("page").value_or(""),
                                   .filters = std::move(*filters)};
}

Result<Json> ReportAnswers::heatmap(const http::Request& request) {
  return sampled(request, &ReportAnswers::heatmap_body);
}

Result<std::uint64_t> ReportAnswers::events_of_heatmap(const http::Request& request) {
  const auto asked = heatmap_request(request);
  if (!asked) return asked.error();
  return reports_.events_to_read(*asked);
}

Result<Json> ReportAnswers::heatmap_body(const http::Request& request, const Extent& extent) {
  auto asked = heatmap_request(request);
  if (!asked) return asked.error();
  asked->query_id = extent.query_id;
  const auto report = extent.fraction ? reports_.sampled_heatmap(*asked, *extent.fraction) : reports_.heatmap(*asked);
  if (!report) return report.error();
  Json body = head(asked->scope);
  body["mode"] = request.query_parameter("mode").value_or("positions");
  body["source"] = report->source;
  body["sample"] = number_or_null(report->sampled);
  body["cells"] = Json::array();
  for (const auto& cell : report->cells) {
    Json one = {{"slot", cell.slot},
                {"x", cell.x},
                {"y", cell.y},
                {"impressions", cell.impressions},
                {"viewable_impressions", cell.viewable_impressions},
                {"hovers", cell.hovers},
                {"clicks", cell.clicks},
                {"ctr", share(cell.clicks, cell.impressions)},
                {"viewability", share(cell.viewable_impressions, cell.impressions)}};
    if (cell.bounds) one["bounds"] = cell_bounds(*cell.bounds);
    body["cells"].push_back(std::move(one));
  }
  return body;
}

}  // namespace marquee::api
