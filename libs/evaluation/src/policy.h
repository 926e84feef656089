// Policies that are made of others.
#pragma once

#include "marquee/evaluation/policy.h"

namespace marquee::evaluation {

struct Condition {
  std::size_t field = 0;             ///< Of DecisionLog::context.
  std::vector<std::uint32_t> codes;  ///< Any of them.
};

struct Rule {
  std::vector<Condition> when;  ///< All of them.
  std::unique_ptr<Policy> then;
};

struct Share {
  double share = 0;  ///< All of them sum to one.
  std::unique_ptr<Policy> policy;
};

/// The first rule that holds; `otherwise` where none does.
[[nodiscard]] std::unique_ptr<Policy> rules_policy(std::vector<Rule> rules, std::unique_ptr<Policy> otherwise);

[[nodiscard]] std::unique_ptr<Policy> mixed_policy(std::vector<Share> shares);

}  // namespace marquee::evaluation
