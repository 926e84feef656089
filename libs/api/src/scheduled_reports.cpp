#include "scheduled_reports.h"

#include <fmt/format.h>

#include <algorithm>

#include "marquee/analytics/model.h"
#include "relative_times.h"
#include "report_files.h"

namespace marquee::api {
namespace {

constexpr std::size_t kMostBytes = std::size_t{8} << 20;
constexpr std::int64_t kFineWindow = 10 * kMinute;  ///< Shorter ones end at a second, others at a minute: see rollups.
constexpr double kLeastLag = 2;                     ///< In seconds: what lies in flight when nothing is behind.

/// With the two ends that `last` means at that time in its place.
Result<Json> as_of(Json parameters, std::int64_t time_ms) {
  const auto last = parameters.find("last");
  if (last == parameters.end() || !last->is_string()) return parameters;
  const std::chrono::system_clock::time_point time{std::chrono::milliseconds(time_ms)};
  const auto range = range_of({.from = {}, .to = {}, .last = last->get<std::string>()}, time);
  if (!range) return range.error();
  parameters.erase("last");
  parameters["from"] = time_text(*range->from_ms);
  parameters["to"] = time_text(*range->to_ms);
  return parameters;
}

Result<ReportFormat> format_of(const std::string& name) {
  http::Request request;
  request.query = "format=" + http::percent_encode(name);
  return wanted_format(request);
}

/// The error that an answer carries.
Error error_of(const http::Response& answer) {
  const Json body = Json::parse(answer.body, nullptr, /*allow_exceptions=*/false);
  auto message = fmt::format("answered {}", answer.status);
  if (body.is_object() && body.contains("error")) message = body.at("error").value("message", message);
  return answer.status >= 500 ? Error::retry(std::move(message)) : Error::reject(std::move(message));
}

const analytics::Metric* find_metric(std::string_view name) {
  const auto found = std::ranges::find(analytics::metrics(), name, &analytics::Metric::name);
  return found == analytics::metrics().end() ? nullptr : &*found;
}

/// The metric that counts what a ratio is of; null where there is none.
const analytics::Metric* count_of(const analytics::Metric& ratio) {
  for (const auto& metric : analytics::metrics())
    if (metric.denominator.empty() && metric.numerator == ratio.denominator) return &metric;
  return nullptr;
}

std::optional<double> value_named(const Json& values, const char* name) {
  const auto found = values.find(name);
  return found == values.end() || found->is_null() ? std::nullopt : std::optional(found->get<double>());
}

}  // namespace

Result<notify::Content> ScheduledReports::report(const catalog::Delivery& delivery, const catalog::Notice& notice) {
  const auto found = catalog_.saved_report(delivery.report_id);
  if (!found) return found.error();
  if (!*found) return Error::reject(fmt::format("there is no saved report \"{}\"", delivery.report_id));
  const auto& saved = **found;
  const auto format = format_of(delivery.format);
  if (!format) return format.error();
  const auto parameters = as_of(Json::parse(saved.parameters), notice.due_ms);
  if (!parameters) return parameters.error();
  const auto report = reports_.report_of(saved.kind, *parameters, /*is_fresh=*/false);
  if (!report) return report.error();
  notify::Content content;
  if (*format == ReportFormat::json) {
    Json body = {{"type", notice.event}, {"timestamp", time_text(notice.due_ms)}};
    body["data"] = {
        {"id", notice.id},
        {"delivery", delivery.id},
        {"report", {{"id", saved.id}, {"name", saved.name}, {"kind", saved.kind}, {"address", "/r/" + saved.id}}},
        {"site", saved.site_id},
        {"from", report->at("from")},
        {"to", report->at("to")},
        {"answer", *report}};
    content = {.type = "application/json", .disposition = {}, .body = json_text(body)};
  } else {
    auto file = report_file(saved.kind, *report, *format, saved.name, store_);
    if (file.status != 200) return error_of(file);
    content = {.type = std::string(file.headers.get("Content-Type")),
               .disposition = std::string(file.headers.get("Content-Disposition")),
               .body = std::move(file.body)};
  }
  if (content.body.size() > kMostBytes)
    return Error::reject(
        fmt::format("has {} bytes, and at most {} are sent; give it a smaller limit", content.body.size(), kMostBytes));
  return content;
}

Result<notify::Readings> ScheduledReports::read(const notify::AlertRule& rule, std::int64_t now_ms) {
  const auto pipeline = watch_.pipeline();
  if (!pipeline->log_answers)
    return Error::retry("whether all events have landed is not known: the log does not answer");
  const double longest = std::max(kLeastLag, static_cast<double>(rule.window.count()) / kSecond / 10);
  if (pipeline->now.lag_seconds > longest)
    return Error::retry(fmt::format("events of the last {:.0f} seconds have not landed", pipeline->now.lag_seconds));
  return look(rule, now_ms);
}

Result<notify::Readings> ScheduledReports::look(const notify::AlertRule& rule, std::int64_t now_ms) {
  using notify::Condition;
  const auto window = rule.window.count();
  const auto grain = window < kFineWindow ? kSecond : kMinute;
  const auto to = now_ms / grain * grain, from = to - window;
  notify::Readings readings;
  auto now = reading(rule, from, to);
  if (!now) return now.error();
  readings.now = *now;
  if (rule.condition == Condition::below || rule.condition == Condition::above) return readings;
  const auto shift = rule.compares_week_before ? 7 * kDay : window;
  const auto before = rule.condition == Condition::stalled ? reading(rule, from - std::max(window, kDay), from)
                                                           : reading(rule, from - shift, to - shift);
  if (!before) return before.error();
  readings.before = *before;
  return readings;
}

Result<notify::Reading> ScheduledReports::reading(const notify::AlertRule& rule, std::int64_t from_ms,
                                                  std::int64_t to_ms) {
  const auto* metric = find_metric(rule.metric);
  if (metric == nullptr) return Error::reject(fmt::format("metric: there is no \"{}\"", rule.metric.substr(0, 64)));
  if (rule.condition == notify::Condition::stalled && metric->unit != analytics::MetricUnit::count)
    return Error::reject("metric: what can stall is counted, as impressions are");
  const auto* count = metric->denominator.empty() ? nullptr : count_of(*metric);
  std::vector<std::string> names = {rule.metric};
  if (count != nullptr) names.emplace_back(count->name);
  const auto report = reports_.report_of("metrics",
                                         {{"site", rule.site},
                                          {"metrics", names},
                                          {"filter", rule.filters},
                                          {"from", time_text(from_ms)},
                                          {"to", time_text(to_ms)}},
                                         /*is_fresh=*/false);
  if (!report) return report.error();
  const auto& values = report->at("total").at("values");
  notify::Reading reading{.value = value_named(values.at(0), "value"),
                          .low = value_named(values.at(0), "low"),
                          .high = value_named(values.at(0), "high"),
                          .count = 0,
                          .is_ratio = count != nullptr};
  reading.count = value_named(values.at(count == nullptr ? 0 : 1), "value").value_or(0);
  return reading;
}

}  // namespace marquee::api
