// Decisions out of rows of text. The forms are described in README.md. What any of these refuses (Action::reject) names
// line and field; a log is refused as a whole, as what is left of one with lines taken out says something else.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/evaluation/decision_log.h"

namespace marquee::evaluation {

struct TextRow {
  std::vector<std::string_view> fields;  ///< Valid until the next row is asked for.
  std::uint64_t line = 0;
};

/// Gives the next row; false at the end.
using NextRow = std::function<Result<bool>(TextRow&)>;

/// A CSV of Open Bandit, known by its column item_id, or one with ad_id, position, reward, propensity and context; the
/// header is the first row. Open Bandit's `items` were there to be chosen whether the log shows them or not.
[[nodiscard]] Result<DecisionLog> read_decision_csv(const NextRow& next, const std::vector<std::string>& items = {});

/// JSON objects, a line each; they may name the candidates. A row's only field is its line.
[[nodiscard]] Result<DecisionLog> read_decision_lines(const NextRow& next);

/// The ads of Open Bandit's item_context.csv.
[[nodiscard]] Result<std::vector<std::string>> read_items(const NextRow& next);

}  // namespace marquee::evaluation
