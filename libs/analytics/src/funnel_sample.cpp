// Funnels from a share of the users.
#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "answer_rows.h"
#include "cached_store.h"
#include "funnel_checks.h"
#include "funnel_query.h"
#include "sample.h"

namespace marquee::analytics {
namespace {

/// What a row of the report's sample has of a time: of all its users, and of each random group that has one.
struct SampledTime {
  std::optional<double> value;
  std::vector<double> of_groups = {};

  void add(bool is_group, const std::string& text) {
    const auto time = real(text);
    if (!is_group) value = time;
    if (is_group && time) of_groups.push_back(*time);
  }
  [[nodiscard]] MetricValue estimate(double fraction) const {
    return value ? estimate_quantile(*value, of_groups, fraction) : MetricValue{};
  }
};
struct SampledStep {
  SampledMeasure users;
  SampledTime median = {}, p90 = {};
};
struct SampledFunnel {
  std::vector<SampledStep> steps;
  SampledTime median = {}, p90 = {};
};

/// By is_total and key.
using SampledRows = std::map<std::pair<bool, std::string>, SampledFunnel>;

SampledRows read_rows(const FunnelRequest& request, const clickhouse::Table& table) {
  SampledRows rows;
  for (const auto& cells : table.rows) {
    auto& row = rows[{cells[0] == "1", cells[1]}];
    row.steps.resize(request.steps.size());
    const bool is_group = cells[cells.size() - 2] == "1";
    const auto group = number(cells.back()) % SampledMeasure::kGroups;
    std::size_t at = 2;
    for (auto& step : row.steps) {
      if (is_group) step.users.by_group[group] += static_cast<std::int64_t>(number(cells[at]));
      step.median.add(is_group, cells[at + 1]);
      step.p90.add(is_group, cells[at + 2]);
      at += 3;
    }
    row.median.add(is_group, cells[at]);
    row.p90.add(is_group, cells[at + 1]);
  }
  return rows;
}

FunnelCounts counts_of(const FunnelRequest& request, const SampledFunnel& row, double fraction) {
  const Share share{.of_users = fraction};
  FunnelCounts counts;
  const SampledMeasure* previous = nullptr;  // The last step before that is not optional.
  for (std::size_t i = 0; i < row.steps.size(); ++i) {
    const auto& step = row.steps[i];
    FunnelStepBounds bounds = {estimate(step.users, nullptr, share), {}, {}, {}, {}};
    if (previous != nullptr) bounds.from_previous = estimate(step.users, previous, share);
    bounds.from_first = estimate(step.users, &row.steps.front().users, share);
    bounds.median_ms = step.median.estimate(fraction);
    bounds.p90_ms = step.p90.estimate(fraction);
    const auto users = static_cast<std::uint64_t>(std::llround(*bounds.users.value));
    counts.steps.push_back({users, step.median.value, step.p90.value, bounds});
    if (!request.steps[i].is_optional) previous = &step.users;
  }
  counts.median_ms = row.median.value;
  counts.p90_ms = row.p90.value;
  counts.median_bounds = row.median.estimate(fraction);
  counts.p90_bounds = row.p90.estimate(fraction);
  return counts;
}

}  // namespace

Result<FunnelReport> Reports::sampled_funnel(const FunnelRequest& request, double fraction) {
  if (auto checked = check_funnel(request); !checked) return checked.error();
  if (auto checked = check_fraction(fraction); !checked) return checked.error();
  const auto ask = [&](FunnelPeriod period) -> Result<SampledRows> {
    period.sample = fraction;
    const auto query = funnel_query(request, period);
    if (!query) return query.error();
    const auto table = store_->table("events", query->data, query->sql, query->parameters);
    if (!table) return table.error();
    return read_rows(request, *table);
  };
  const auto now = ask({.scope = request.scope});
  if (!now) return now.error();
  SampledRows before;
  if (request.compares_previous) {
    auto asked = ask(previous_period(request));
    if (!asked) return asked.error();
    before = std::move(*asked);
  }
  // Of users who are not there, none: in each step.
  const auto counts = [&](const SampledRows& rows, bool is_total, const std::string& key) {
    const auto found = rows.find({is_total, key});
    return counts_of(
        request, found == rows.end() ? SampledFunnel{std::vector<SampledStep>(request.steps.size())} : found->second,
        fraction);
  };
  FunnelReport report;
  report.total = counts(*now, true, "");
  report.sampled = fraction;
  if (request.compares_previous) report.previous = counts(before, true, "");
  for (const auto& [name, row] : *now) {
    if (name.first) continue;
    report.rows.push_back({name.second, counts_of(request, row, fraction), {}});
    if (request.compares_previous) report.rows.back().previous = counts(before, false, name.second);
  }
  std::ranges::sort(report.rows, [](const FunnelRow& a, const FunnelRow& b) {
    return std::tie(b.now.steps[0].users, a.key) < std::tie(a.now.steps[0].users, b.key);
  });
  report.is_cut = report.rows.size() > request.limit;
  if (report.is_cut) report.rows.resize(request.limit);
  return report;
}

Result<std::uint64_t> Reports::events_to_read(const FunnelRequest& request) {
  if (auto checked = check_funnel(request); !checked) return checked.error();
  FunnelPeriod period{.scope = request.scope};
  if (store_->can_remember() && are_journeys_enough(request)) {
    auto kept = kept_days(store_->store(), request.scope);
    if (!kept) return kept.error();
    if (kept->is_worth_it()) period.kept = std::move(*kept);
  }
  const auto query = funnel_query(request, period);
  if (!query) return query.error();
  return rows_to_read(store_->store(), query->sql, query->parameters);
}

}  // namespace marquee::analytics
