// Reports that are tables: metrics by dimensions.
#include "answers.h"
#include "marquee/analytics/model.h"
#include "report_answers.h"
#include "report_json.h"

namespace marquee::api {
namespace {

Json table_head(const analytics::TableRequest& asked, const analytics::TableExtent& extent) {
  Json body = head(asked.scope);
  body["by"] = asked.by;
  body["source"] = extent.source;
  body["hidden_rows"] = extent.hidden_rows;
  body["is_cut"] = extent.is_cut;
  body["rows"] = Json::array();
  return body;
}

Json rate_or_null(const std::optional<analytics::Rate>& rate) { return rate ? rate_json(*rate) : Json(nullptr); }

Json values_json(const std::vector<analytics::MetricValue>& values) {
  Json list = Json::array();
  for (const auto& one : values) {
    Json value = {{"value", number_or_null(one.value)}};
    if (one.low) value.update({{"low", *one.low}, {"high", *one.high}});
    list.push_back(std::move(value));
  }
  return list;
}

Json row_json(const analytics::MetricsRow& row, bool is_compared) {
  return {{"values", values_json(row.now)}, {"previous", is_compared ? values_json(row.before) : Json(nullptr)}};
}

}  // namespace

Result<analytics::TableRequest> ReportAnswers::table(const http::Request& request) const {
  auto asked = scope(request);
  if (!asked) return asked.error();
  auto filters = filter_parameters(request);
  if (!filters) return filters.error();
  const auto compare = choice_parameter(request, "compare", {"none", "previous"});
  if (!compare) return compare.error();
  const auto least = whole_parameter(request, "min_impressions", 0);
  if (!least) return least.error();
  const auto limit = whole_parameter(request, "limit", 1000);
  if (!limit) return limit.error();
  return analytics::TableRequest{.scope = std::move(*asked),
                                 .by = list_parameter(request, "by"),
                                 .filters = std::move(*filters),
                                 .compares_previous = *compare == "previous",
                                 .min_impressions = *least,
                                 .limit = *limit};
}

Result<Json> ReportAnswers::ctr(const http::Request& request) {
  auto asked = table(request);
  if (!asked) return asked.error();
  if (asked->by.empty()) asked->by = {"campaign_id"};
  const auto report = reports_.ctr(*asked);
  if (!report) return report.error();
  Json body = table_head(*asked, report->extent);
  body["total"] = rate_json(report->total);
  body["previous_total"] = rate_or_null(report->previous_total);
  for (const auto& row : report->rows) {
    Json one = {{"keys", row.keys}};
    one.update(rate_json(row.rate));
    one["previous"] = rate_or_null(row.previous);
    one["p_value"] = row.p_value;
    one["false_discovery_rate"] = row.false_discovery_rate;
    body["rows"].push_back(std::move(one));
  }
  if (auto added = add_experiments(body, asked->scope, asked->by, asked->filters); !added) return added.error();
  return body;
}

Result<Json> ReportAnswers::metrics(const http::Request& request) {
  return sampled(request, &ReportAnswers::metrics_body);
}

Result<std::uint64_t> ReportAnswers::events_of_metrics(const http::Request& request) {
  const auto asked = table(request);
  if (!asked) return asked.error();
  return reports_.events_to_read(*asked, list_parameter(request, "metrics"));
}

Result<Json> ReportAnswers::metrics_body(const http::Request& request, const Extent& extent) {
  auto asked = table(request);
  if (!asked) return asked.error();
  asked->query_id = extent.query_id;
  const auto names = list_parameter(request, "metrics");
  const auto report =
      extent.fraction ? reports_.sampled_metrics(*asked, names, *extent.fraction) : reports_.metrics(*asked, names);
  if (!report) return report.error();
  Json body = table_head(*asked, report->extent);
  body["metrics"] = names;
  body["sample"] = number_or_null(report->sampled);
  body["total"] = row_json(report->total, asked->compares_previous);
  for (const auto& row : report->rows) {
    Json one = {{"keys", row.keys}};
    one.update(row_json(row, asked->compares_previous));
    body["rows"].push_back(std::move(one));
  }
  if (auto added = add_experiments(body, asked->scope, asked->by, asked->filters); !added) return added.error();
  return body;
}

http::Response ReportAnswers::model() {
  Json metrics = Json::array(), dimensions = Json::array();
  for (const auto& metric : analytics::metrics())
    metrics.push_back(
        {{"name", metric.name}, {"unit", analytics::name_of(metric.unit)}, {"description", metric.description}});
  for (const auto& dimension : analytics::dimensions())
    dimensions.push_back({{"name", dimension.name}, {"description", dimension.description}});
  return json_answer(200, {{"metrics", std::move(metrics)}, {"dimensions", std::move(dimensions)}});
}

}  // namespace marquee::api
