#include "policy.h"

#include <algorithm>
#include <numeric>

namespace marquee::evaluation {
namespace {

class UniformPolicy final : public Policy {
 public:
  bool choose(const DecisionLog&, std::size_t, std::span<const std::uint32_t> ads,
              std::span<double> out) const override {
    std::ranges::fill(out, 1.0 / static_cast<double>(ads.size()));
    return !ads.empty();
  }
};

class WeightedPolicy final : public Policy {
 public:
  explicit WeightedPolicy(std::vector<std::vector<double>> weights) : weights_(std::move(weights)) {}
  bool choose(const DecisionLog& log, std::size_t i, std::span<const std::uint32_t> ads,
              std::span<double> out) const override {
    const auto& weights = weights_[log.position[i]];
    for (std::size_t k = 0; k < ads.size(); ++k) out[k] = ads[k] < weights.size() ? weights[ads[k]] : 0.0;
    const double total = std::accumulate(out.begin(), out.end(), 0.0);
    if (!(total > 0)) return false;
    for (double& probability : out) probability /= total;
    return true;
  }

 private:
  std::vector<std::vector<double>> weights_;
};

class LoggedTargetPolicy final : public Policy {
 public:
  bool choose(const DecisionLog& log, std::size_t i, std::span<const std::uint32_t> ads,
              std::span<double> out) const override {
    for (std::size_t k = 0; k < ads.size(); ++k) out[k] = log.candidate_target[log.candidates_begin[i] + k];
    return true;
  }
};

class RulesPolicy final : public Policy {
 public:
  RulesPolicy(std::vector<Rule> rules, std::unique_ptr<Policy> otherwise)
      : rules_(std::move(rules)), otherwise_(std::move(otherwise)) {}
  bool choose(const DecisionLog& log, std::size_t i, std::span<const std::uint32_t> ads,
              std::span<double> out) const override {
    const auto found = std::ranges::find_if(rules_, [&](const Rule& rule) {
      return std::ranges::all_of(rule.when, [&](const Condition& condition) {
        return std::ranges::find(condition.codes, log.context[condition.field].code[i]) != condition.codes.end();
      });
    });
    return (found == rules_.end() ? *otherwise_ : *found->then).choose(log, i, ads, out);
  }

 private:
  std::vector<Rule> rules_;
  std::unique_ptr<Policy> otherwise_;
};

class MixedPolicy final : public Policy {
 public:
  explicit MixedPolicy(std::vector<Share> shares) : shares_(std::move(shares)) {}
  bool choose(const DecisionLog& log, std::size_t i, std::span<const std::uint32_t> ads,
              std::span<double> out) const override {
    std::ranges::fill(out, 0.0);
    std::vector<double> part(out.size());
    for (const auto& [share, policy] : shares_) {
      if (share == 0) continue;
      if (!policy->choose(log, i, ads, part)) return false;
      for (std::size_t k = 0; k < out.size(); ++k) out[k] += share * part[k];
    }
    return true;
  }

 private:
  std::vector<Share> shares_;
};

}  // namespace

std::unique_ptr<Policy> uniform_policy() { return std::make_unique<UniformPolicy>(); }

std::unique_ptr<Policy> weighted_policy(std::vector<std::vector<double>> weights) {
  return std::make_unique<WeightedPolicy>(std::move(weights));
}

std::unique_ptr<Policy> logged_target_policy() { return std::make_unique<LoggedTargetPolicy>(); }

std::unique_ptr<Policy> rules_policy(std::vector<Rule> rules, std::unique_ptr<Policy> otherwise) {
  return std::make_unique<RulesPolicy>(std::move(rules), std::move(otherwise));
}

std::unique_ptr<Policy> mixed_policy(std::vector<Share> shares) {
  return std::make_unique<MixedPolicy>(std::move(shares));
}

}  // namespace marquee::evaluation
