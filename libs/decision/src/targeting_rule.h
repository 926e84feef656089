// Targeting as a disjunction of clauses.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "marquee/decision/targeting.h"

namespace marquee::decision {

/// A condition (is_in or within) or its negation; borrows from the Targeting.
struct Literal {
  const Targeting* condition = nullptr;
  bool is_negated = false;
};
using Clause = std::vector<Literal>;  ///< All of them; none: always.

/// Any of the clauses; none: never. nullopt where there would be more than `limit`.
[[nodiscard]] std::optional<std::vector<Clause>> clauses_of(const Targeting& targeting, std::size_t limit);

}  // namespace marquee::decision
