#include "log_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace marquee::evaluation {

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::uint32_t DecisionLog::ad_index(const std::string& id) {
  const auto found = std::ranges::find(ads, id);
  if (found == ads.end()) {
    ads.push_back(id);
    return static_cast<std::uint32_t>(ads.size() - 1);
  }
  return static_cast<std::uint32_t>(found - ads.begin());
}

std::uint32_t Interned::index(std::string_view text) {
  const auto [it, is_new] = indices_.try_emplace(std::string(text), static_cast<std::uint32_t>(texts_.size()));
  if (is_new) texts_.emplace_back(text);
  return it->second;
}

Result<void> LogBuilder::add_candidate(std::string_view ad, double propensity, std::optional<double> target) {
  if (!(propensity >= 0 && propensity <= 1))
    return Error::reject(fmt::format("candidates: propensity {} is not between 0 and 1", propensity));
  if (target && !(*target >= 0 && *target <= 1))
    return Error::reject(fmt::format("candidates: target {} is not between 0 and 1", *target));
  if (log_.candidates_begin.empty()) log_.candidates_begin.push_back(0);
  const auto index = ads_.index(ad);
  listed_in_.resize(std::max<std::size_t>(listed_in_.size(), index + 1), 0);
  if (listed_in_[index] == log_.size() + 1) return Error::reject(fmt::format("candidates: {} is named twice", ad));
  listed_in_[index] = log_.size() + 1;
  log_.candidate_ad.push_back(index);
  log_.candidate_propensity.push_back(propensity);
  if (target) log_.candidate_target.push_back(*target);
  return {};
}

void LogBuilder::add_context(std::string_view name, std::string_view value) {
  const auto field = fields_.index(name);
  if (field == values_.size()) {
    values_.emplace_back();
    log_.context.push_back({std::string(name), {}, {}});
  }
  auto& code = log_.context[field].code;
  code.resize(log_.size() + 1, ContextField::kAbsent);
  code.back() = values_[field].index(value);
}

/// Of the candidates of the decision that is being added, and so of all.
Result<void> LogBuilder::check_targets() const {
  if (log_.candidate_target.empty()) return {};
  if (log_.candidate_target.size() != log_.candidate_ad.size())
    return Error::reject("candidates: target is missing for some, though others have one");
  const auto begin = log_.candidate_target.begin() + static_cast<std::ptrdiff_t>(log_.candidates_begin.back());
  const double total = std::accumulate(begin, log_.candidate_target.end(), 0.0);
  if (std::abs(total - 1) > 1e-6)
    return Error::reject(fmt::format("candidates: the targets sum to {}, not to 1", total));
  return {};
}

Result<std::optional<double>> LogBuilder::candidate_of(std::uint32_t ad) const {
  const bool names_candidates = log_.names_candidates();
  const std::size_t begin = names_candidates ? log_.candidates_begin.back() : 0;
  if (log_.candidate_ad.size() == begin) {
    if (names_candidates) return Error::reject("candidates: missing, though other decisions have them");
    return std::optional<double>();
  }
  // The first of many that names them would leave the others before it without.
  if (log_.candidates_begin.size() != log_.size() + 1)
    return Error::reject("candidates: given, though decisions before it have none");
  const auto first = log_.candidate_ad.begin() + static_cast<std::ptrdiff_t>(begin);
  const auto found = std::find(first, log_.candidate_ad.end(), ad);
  if (found == log_.candidate_ad.end()) return Error::reject("ad_id: is not one of the candidates");
  return std::optional(log_.candidate_propensity[static_cast<std::size_t>(found - log_.candidate_ad.begin())]);
}

Result<void> LogBuilder::add(std::string_view ad, std::string_view position, double reward,
                             std::optional<double> propensity) {
  if (ad.empty()) return Error::reject("ad_id: is empty");
  const auto index = ads_.index(ad);
  const auto among_candidates = candidate_of(index);
  if (!among_candidates) return among_candidates.error();
  if (const auto checked = check_targets(); !checked) return checked.error();
  if (propensity && *among_candidates && std::abs(*propensity - **among_candidates) > 1e-6)
    return Error::reject(
        fmt::format("propensity: is {}, but {} among the candidates", *propensity, **among_candidates));
  if (!propensity) propensity = *among_candidates;
  if (!propensity) return Error::reject("propensity: is missing");
  // What has no probability was not chosen, and its weight would be infinite.
  if (!(*propensity > 0 && *propensity <= 1))
    return Error::reject(fmt::format("propensity: {} is not above 0 and at most 1", *propensity));
  log_.ad.push_back(index);
  log_.position.push_back(positions_.index(position));
  log_.reward.push_back(reward);
  log_.propensity.push_back(*propensity);
  if (log_.names_candidates()) log_.candidates_begin.push_back(log_.candidate_ad.size());
  return {};
}

Result<DecisionLog> LogBuilder::finish() {
  if (log_.size() == 0) return Error::reject("there is no decision in it");
  for (std::size_t i = 0; i < log_.context.size(); ++i) {
    log_.context[i].code.resize(log_.size(), ContextField::kAbsent);
    log_.context[i].values = std::move(values_[i].texts());
  }
  log_.ads = std::move(ads_.texts());
  const auto& names = positions_.texts();
  const bool are_numbers = std::ranges::all_of(names, [](const auto& name) { return parse_number(name).has_value(); });
  std::vector<std::uint32_t> order(names.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, [&](std::uint32_t a, std::uint32_t b) {
    return are_numbers ? *parse_number(names[a]) < *parse_number(names[b]) : names[a] < names[b];
  });
  std::vector<std::uint32_t> rank(names.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    rank[order[i]] = i;
    log_.positions.push_back(names[order[i]]);
  }
  for (auto& position : log_.position) position = rank[position];
  return std::move(log_);
}

}  // namespace marquee::evaluation
