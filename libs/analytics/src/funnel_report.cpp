#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "answer_rows.h"
#include "cached_store.h"
#include "funnel_checks.h"
#include "funnel_query.h"
#include "query.h"

namespace marquee::analytics {
namespace {

constexpr std::size_t kMostFunnelSteps = 30;
constexpr std::size_t kMostExclusions = 10;
constexpr std::uint64_t kMostSeconds = 2'592'000;

Result<void> check(const FunnelMatch& match, std::string_view parameter) {
  if (match.types.empty()) return Error::reject(fmt::format("{}: expected at least one event type", parameter));
  return check_event_types(match.types, parameter);
}

bool is_required(const FunnelRequest& request, std::size_t step) {
  return step >= 1 && step <= request.steps.size() && !request.steps[step - 1].is_optional;
}

std::vector<std::string> sorted(std::vector<std::string> texts) {
  std::ranges::sort(texts);
  return texts;
}

/// Whether they match the same events, as far as their words say.
bool are_same(const FunnelMatch& a, const FunnelMatch& b) {
  return sorted(a.types) == sorted(b.types) &&
         std::ranges::equal(a.filters, b.filters, [](const Filter& one, const Filter& other) {
           return one.dimension == other.dimension && one.is_negated == other.is_negated &&
                  sorted(one.values) == sorted(other.values);
         });
}

Result<void> check_steps(const FunnelRequest& request) {
  const auto& steps = request.steps;
  if (steps.size() < 2 || steps.size() > kMostFunnelSteps)
    return Error::reject(fmt::format("steps: expected two to thirty, got {}", steps.size()));
  for (const auto& step : steps)
    if (auto checked = check(step.match, "steps"); !checked) return checked;
  if (steps.front().is_optional || steps.back().is_optional)
    return Error::reject("optional: the first and the last step cannot be");
  if (request.order != FunnelOrder::any) return {};
  for (std::size_t i = 0; i < steps.size(); ++i)
    for (std::size_t k = i + 1; k < steps.size(); ++k)
      if (are_same(steps[i].match, steps[k].match))
        return Error::reject(
            fmt::format("steps: {} and {} are the same; in any order one event would stand for both", i + 1, k + 1));
  return {};
}

Result<void> check_exclusions(const FunnelRequest& request) {
  if (request.exclusions.empty()) return {};
  if (request.exclusions.size() > kMostExclusions)
    return Error::reject(fmt::format("exclude: at most {} are taken", kMostExclusions));
  if (request.order == FunnelOrder::strict)
    return Error::reject("exclude: in strict order nothing stands between two steps");
  for (const auto& one : request.exclusions) {
    if (auto checked = check(one.match, "exclude"); !checked) return checked;
    const auto last = request.steps.size(), before = one.before_step.value_or(last);
    if (!is_required(request, one.after_step) || !is_required(request, before) || one.after_step >= before)
      return Error::reject(
          "exclude: expected it after one step and before a later one (counted from 1), neither of them optional");
    if (request.order == FunnelOrder::any && (one.after_step != 1 || before != last))
      return Error::reject("exclude: in any order it holds from the first event to the last, not between two steps");
  }
  return {};
}

FunnelCounts no_counts(const FunnelRequest& request) {
  FunnelCounts counts;
  counts.steps.resize(request.steps.size());
  return counts;
}

/// From column `at` on.
FunnelCounts read_counts(const FunnelRequest& request, const std::vector<std::string>& cells, std::size_t at) {
  FunnelCounts counts;
  for (std::size_t step = 0; step < request.steps.size(); ++step, at += 3) {
    auto& one = counts.steps.emplace_back(FunnelStepCount{number(cells[at]), {}, {}});
    if (step == 0) continue;
    one.median_ms = real(cells[at + 1]);
    one.p90_ms = real(cells[at + 2]);
  }
  counts.median_ms = real(cells[at]);
  counts.p90_ms = real(cells[at + 1]);
  return counts;
}

FunnelDropped read_dropped(const FunnelRequest& request, const std::vector<std::string>& cells) {
  const auto at = cells.size() - 3;
  FunnelDropped dropped{number(cells[at]), number(cells[at + 1]), {}, false};
  const std::string& keys = cells.back();
  for (std::size_t begin = 0; begin < keys.size(); begin += 17) dropped.keys.push_back(keys.substr(begin, 16));
  dropped.is_cut = dropped.users - dropped.without_key > request.key_limit;
  return dropped;
}

}  // namespace

Result<void> check_funnel(const FunnelRequest& request) {
  if (auto checked = check(request.scope); !checked) return checked;
  if (auto checked = check_steps(request); !checked) return checked;
  if (auto checked = check_exclusions(request); !checked) return checked;
  if (request.window_seconds < 1 || request.window_seconds > kMostSeconds)
    return Error::reject(fmt::format("window_seconds: expected 1 to {} (30 days)", kMostSeconds));
  if (request.compares_previous && (!request.scope.from_ms || !request.scope.to_ms))
    return Error::reject("compare: the previous period needs from and to");
  if (request.dropped_after && (*request.dropped_after < 1 || *request.dropped_after >= request.steps.size()))
    return Error::reject(
        fmt::format("dropped_after: expected the number of a step before the last, 1 to {}", request.steps.size() - 1));
  if (request.limit < 1 || request.limit > 10'000) return Error::reject("limit: expected 1 to 10000");
  if (request.key_limit < 1 || request.key_limit > 100'000) return Error::reject("key_limit: expected 1 to 100000");
  return {};
}

FunnelPeriod previous_period(const FunnelRequest& request) {
  const auto length = *request.scope.to_ms - *request.scope.from_ms;
  FunnelPeriod period{request.scope, length, /*is_limited=*/false};
  period.scope.to_ms = request.scope.from_ms;
  period.scope.from_ms = *request.scope.from_ms - length;
  return period;
}

Result<FunnelReport> Reports::funnel(const FunnelRequest& request) {
  if (auto checked = check_funnel(request); !checked) return checked.error();
  bool is_of_journeys = false;
  const auto ask = [&](FunnelPeriod period) -> Result<clickhouse::Table> {
    for (bool can_be_journeys = store_->can_remember() && are_journeys_enough(request);; can_be_journeys = false) {
      if (can_be_journeys) {
        auto kept = kept_days(store_->store(), period.scope);
        if (!kept) return kept.error();
        if (kept->is_worth_it()) period.kept = std::move(*kept);
      }
      const bool has_journeys = !period.kept.partitions.empty();
      const auto query = funnel_query(request, period);
      if (!query) return query.error();
      auto table = store_->table("events", query->data, query->sql, query->parameters, {.query_id = request.query_id});
      if (has_journeys && is_refused_by_journeys(table)) {
        period.kept = {};
        continue;
      }
      is_of_journeys = is_of_journeys || has_journeys;
      return table;
    }
  };
  const auto now = ask({.scope = request.scope});
  if (!now) return now.error();
  FunnelReport report;
  report.source = is_of_journeys ? "journeys" : "events";
  report.total = no_counts(request);
  for (const auto& cells : now->rows) {
    if (cells[0] == "1") {
      report.total = read_counts(request, cells, 2);
      if (request.dropped_after) report.dropped = read_dropped(request, cells);
    } else {
      report.rows.push_back({cells[1], read_counts(request, cells, 2), {}});
    }
  }
  report.is_cut = report.rows.size() > request.limit;
  if (report.is_cut) report.rows.resize(request.limit);
  if (!request.compares_previous) return report;

  std::map<std::string, FunnelRow*> rows;
  for (auto& row : report.rows) {
    rows[row.key] = &row;
    row.previous = no_counts(request);
  }
  const auto before = ask(previous_period(request));
  if (!before) return before.error();
  report.previous = no_counts(request);
  for (const auto& cells : before->rows) {
    if (cells[0] == "1") {
      report.previous = read_counts(request, cells, 2);
    } else if (const auto row = rows.find(cells[1]); row != rows.end()) {
      row->second->previous = read_counts(request, cells, 2);
    }
  }
  return report;
}

}  // namespace marquee::analytics
