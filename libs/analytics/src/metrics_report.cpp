#include <algorithm>

#include "marquee/analytics/model.h"
#include "marquee/analytics/reports.h"
#include "marquee/analytics/statistics.h"
#include "measures.h"
#include "selection.h"

namespace marquee::analytics {
namespace {

constexpr std::size_t kMostMetrics = 10;

/// A metric, and which of the selection's measures it is made of.
struct Computed {
  const Metric* metric = nullptr;
  std::size_t numerator = 0;
  std::optional<std::size_t> denominator;
};

std::size_t place_of(std::string_view measure, std::vector<std::string_view>& measures) {
  const auto it = std::ranges::find(measures, measure);
  if (it != measures.end()) return static_cast<std::size_t>(it - measures.begin());
  measures.push_back(measure);
  return measures.size() - 1;
}

MetricValue value_of(const Computed& computed, const std::vector<std::int64_t>& measures) {
  const auto numerator = measures[computed.numerator];
  if (!computed.denominator) return {static_cast<double>(numerator) * computed.metric->scale, {}, {}};
  const auto denominator = measures[*computed.denominator];
  if (denominator == 0) return {};
  MetricValue value{static_cast<double>(numerator) / static_cast<double>(denominator) * computed.metric->scale, {}, {}};
  if (computed.metric->unit == MetricUnit::proportion) {
    const auto interval = wilson(static_cast<std::uint64_t>(numerator), static_cast<std::uint64_t>(denominator));
    value.low = interval.low;
    value.high = interval.high;
  }
  return value;
}

MetricsRow row_of(const std::vector<Computed>& computed, const SelectedRow& row) {
  MetricsRow result{row.keys, {}, {}};
  for (const auto& one : computed) {
    result.now.push_back(value_of(one, row.now));
    if (!row.before.empty()) result.before.push_back(value_of(one, row.before));
  }
  return result;
}

MetricValue estimate_of(const Computed& computed, const std::vector<SampledMeasure>& measures, const Share& share) {
  return estimate(measures[computed.numerator], computed.denominator ? &measures[*computed.denominator] : nullptr,
                  share, computed.metric->scale);
}

MetricsRow row_of(const std::vector<Computed>& computed, const SampledRow& row, const Share& share) {
  MetricsRow result{row.keys, {}, {}};
  for (const auto& one : computed) {
    result.now.push_back(estimate_of(one, row.now, share));
    if (!row.before.empty()) result.before.push_back(estimate_of(one, row.before, share));
  }
  return result;
}

/// What is selected for the metrics, and how they are made of it.
struct Wanted {
  Selection selection;
  std::vector<Computed> computed;
};

Result<Wanted> wanted(const TableRequest& request, const std::vector<std::string>& metrics) {
  if (metrics.empty() || metrics.size() > kMostMetrics) return Error::reject("metrics: expected one to ten");
  Wanted result{{.table = request, .measures = {}, .order_per = std::nullopt}, {}};
  for (const auto& name : metrics) {
    const auto metric = find_metric(name);
    if (!metric) return metric.error();
    auto& measures = result.selection.measures;
    Computed& one = result.computed.emplace_back(Computed{*metric, place_of((*metric)->numerator, measures), {}});
    if (!(*metric)->denominator.empty()) one.denominator = place_of((*metric)->denominator, measures);
  }
  result.selection.order_by = result.computed.front().numerator;
  result.selection.order_per = result.computed.front().denominator;
  return result;
}

}  // namespace

Result<MetricsReport> Reports::metrics(const TableRequest& request, const std::vector<std::string>& metrics) {
  const auto what = wanted(request, metrics);
  if (!what) return what.error();
  const auto selected = select(*store_, what->selection);
  if (!selected) return selected.error();
  MetricsReport report{selected->extent, {}, row_of(what->computed, selected->total), {}};
  for (const auto& row : selected->rows) report.rows.push_back(row_of(what->computed, row));
  return report;
}

Result<MetricsReport> Reports::sampled_metrics(const TableRequest& request, const std::vector<std::string>& metrics,
                                               double fraction) {
  const auto what = wanted(request, metrics);
  if (!what) return what.error();
  const auto sampled = select_sample(*store_, what->selection, fraction);
  if (!sampled) return sampled.error();
  MetricsReport report{sampled->extent, fraction, row_of(what->computed, sampled->total, sampled->share), {}};
  for (const auto& row : sampled->rows) report.rows.push_back(row_of(what->computed, row, sampled->share));
  return report;
}

Result<std::uint64_t> Reports::events_to_read(const TableRequest& request, const std::vector<std::string>& metrics) {
  const auto what = wanted(request, metrics);
  if (!what) return what.error();
  return analytics::events_to_read(store_->store(), what->selection);
}

}  // namespace marquee::analytics
