#include <algorithm>

#include "marquee/analytics/reports.h"
#include "marquee/analytics/statistics.h"
#include "selection.h"

namespace marquee::analytics {
namespace {

/// Of impressions, viewable impressions and clicks.
Rate rate_of(const std::vector<std::int64_t>& values) {
  const auto count = [&](std::size_t i) { return static_cast<std::uint64_t>(values[i]); };
  return make_rate(count(0), count(1), count(2));
}

double p_against_the_rest(const Rate& row, const Rate& total) {
  return same_proportion_p(row.clicks, row.impressions, total.clicks - std::min(row.clicks, total.clicks),
                           total.impressions - std::min(row.impressions, total.impressions));
}

}  // namespace

Result<CtrReport> Reports::ctr(const TableRequest& request) {
  if (request.by.empty()) return Error::reject("by: expected one to three dimensions");
  const auto selected = select(
      *store_,
      {.table = request, .measures = {"impressions", "viewable_impressions", "clicks"}, .order_per = std::nullopt});
  if (!selected) return selected.error();
  CtrReport report{selected->extent, rate_of(selected->total.now), {}, {}};
  if (request.compares_previous) report.previous_total = rate_of(selected->total.before);
  std::vector<double> p_values;
  for (const auto& row : selected->rows) {
    CtrRow& one = report.rows.emplace_back();
    one.keys = row.keys;
    one.rate = rate_of(row.now);
    if (request.compares_previous) one.previous = rate_of(row.before);
    one.p_value = p_against_the_rest(one.rate, report.total);
    p_values.push_back(one.p_value);
  }
  const auto rates = false_discovery_rates(p_values);
  for (std::size_t i = 0; i < rates.size(); ++i) report.rows[i].false_discovery_rate = rates[i];
  return report;
}

}  // namespace marquee::analytics
