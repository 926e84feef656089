// Collects decisions one by one into columns.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/evaluation/decision_log.h"

namespace marquee::evaluation {

/// A list of distinct texts and the index of each. Not thread safe.
class Interned {
 public:
  std::uint32_t index(std::string_view text);
  [[nodiscard]] std::vector<std::string>& texts() { return texts_; }

 private:
  std::vector<std::string> texts_;
  std::unordered_map<std::string, std::uint32_t> indices_;
};

class LogBuilder {
 public:
  void add_ad(std::string_view id) { ads_.index(id); }
  /// An ad that could be shown at the decision that add() completes next; `target` is its probability under a policy
  /// that was computed elsewhere. Action::reject for what is no probability, and for an ad that is named twice.
  [[nodiscard]] Result<void> add_candidate(std::string_view ad, double propensity, std::optional<double> target);
  void add_context(std::string_view name, std::string_view value);
  /// Without `propensity` it is that of the candidate. Action::reject naming the field that is wrong.
  [[nodiscard]] Result<void> add(std::string_view ad, std::string_view position, double reward,
                                 std::optional<double> propensity);
  /// Action::reject where there is no decision.
  [[nodiscard]] Result<DecisionLog> finish();

 private:
  [[nodiscard]] Result<void> check_targets() const;
  [[nodiscard]] Result<std::optional<double>> candidate_of(std::uint32_t ad) const;

  DecisionLog log_;
  Interned ads_;
  Interned positions_;
  Interned fields_;
  std::vector<Interned> values_;        ///< Of each field.
  std::vector<std::size_t> listed_in_;  ///< Number, from 1, of the last decision of which each ad was a candidate.
};

/// The number that `text` is as a whole.
[[nodiscard]] std::optional<double> parse_number(std::string_view text);

}  // namespace marquee::evaluation
