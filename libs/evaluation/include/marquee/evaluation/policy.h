// Policies whose probabilities are known: what is evaluated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/evaluation/decision_log.h"

namespace marquee::evaluation {

/// Immutable; safe from many threads.
class Policy {
 public:
  virtual ~Policy() = default;
  /// Writes the probability with which the policy chooses each of `ads` at decision `i` into `out`, which is as long.
  /// `ads` are the candidates of `i`, in the log's order. They sum to one. False where it would choose none of them.
  [[nodiscard]] virtual bool choose(const DecisionLog& log, std::size_t i, std::span<const std::uint32_t> ads,
                                    std::span<double> out) const = 0;
};

/// Every candidate with the same probability.
[[nodiscard]] std::unique_ptr<Policy> uniform_policy();

/// In proportion to `weights[position][ad]`, of the candidates. Ads beyond a row's end have weight 0.
[[nodiscard]] std::unique_ptr<Policy> weighted_policy(std::vector<std::vector<double>> weights);

/// What the log itself says of each candidate (DecisionLog::candidate_target), which must be there.
[[nodiscard]] std::unique_ptr<Policy> logged_target_policy();

/// Reads a policy as JSON (README.md, "Policies"); ads that `log` does not know are added to it. Action::reject, saying
/// where, for anything that is not a policy over this log.
[[nodiscard]] Result<std::unique_ptr<Policy>> read_policy(std::string_view json, DecisionLog& log);

}  // namespace marquee::evaluation
