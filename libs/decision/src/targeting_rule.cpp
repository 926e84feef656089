#include "targeting_rule.h"

#include <algorithm>

#include "day_part_rule.h"
#include "marquee/base/zone.h"

namespace marquee::decision {
namespace {

using Clauses = std::optional<std::vector<Clause>>;

bool is_in(const Targeting& condition, const Context& context, std::string_view slot) {
  const auto has = [&](std::string_view value) {
    return std::ranges::find(condition.values, value) != condition.values.end();
  };
  if (condition.field == Field::slot) return has(slot);
  return std::ranges::any_of(context.known, [&](const Known& known) {
    return known.field == condition.field && (known.field != Field::attribute || known.name == condition.name) &&
           has(known.value);
  });
}

/// Any of the parts; none of them: never.
template <class Part>
Clauses sum(const std::vector<Targeting>& parts, std::size_t limit, Part clauses_of_part) {
  std::vector<Clause> all;
  for (const auto& part : parts) {
    auto more = clauses_of_part(part);
    if (!more || all.size() + more->size() > limit) return std::nullopt;
    std::ranges::move(*more, std::back_inserter(all));
  }
  return all;
}

/// All of the parts, multiplied out.
template <class Part>
Clauses product(const std::vector<Targeting>& parts, std::size_t limit, Part clauses_of_part) {
  std::vector<Clause> all = {{}};
  for (const auto& part : parts) {
    const auto factors = clauses_of_part(part);
    if (!factors || all.size() * factors->size() > limit) return std::nullopt;
    std::vector<Clause> next;
    for (const auto& clause : all)
      for (const auto& factor : *factors) {
        next.push_back(clause);
        next.back().insert(next.back().end(), factor.begin(), factor.end());
      }
    all = std::move(next);
  }
  return all;
}

Clauses convert(const Targeting& targeting, bool is_negated, std::size_t limit) {
  const bool is_negated_inside = targeting.kind == Targeting::Kind::none ? !is_negated : is_negated;
  const auto part = [&](const Targeting& one) { return convert(one, is_negated_inside, limit); };
  switch (targeting.kind) {
    case Targeting::Kind::everyone:
      return is_negated ? std::vector<Clause>{} : std::vector<Clause>{{}};
    case Targeting::Kind::all:
      return is_negated ? sum(targeting.parts, limit, part) : product(targeting.parts, limit, part);
    case Targeting::Kind::any:
      return is_negated ? product(targeting.parts, limit, part) : sum(targeting.parts, limit, part);
    case Targeting::Kind::none:  // "Not any".
      return is_negated ? sum(targeting.parts, limit, part) : product(targeting.parts, limit, part);
    case Targeting::Kind::is_in:
    case Targeting::Kind::within:
      return std::vector<Clause>{{Literal{&targeting, is_negated}}};
  }
  return std::nullopt;
}

}  // namespace

bool holds(const Targeting& targeting, const Context& context, std::string_view slot) {
  const auto part = [&](const Targeting& one) { return holds(one, context, slot); };
  switch (targeting.kind) {
    case Targeting::Kind::everyone:
      return true;
    case Targeting::Kind::all:
      return std::ranges::all_of(targeting.parts, part);
    case Targeting::Kind::any:
      return std::ranges::any_of(targeting.parts, part);
    case Targeting::Kind::none:
      return std::ranges::none_of(targeting.parts, part);
    case Targeting::Kind::is_in:
      return is_in(targeting, context, slot);
    case Targeting::Kind::within: {
      const auto* zone = find_zone(targeting.day_part.zone);
      return zone != nullptr && is_within(targeting.day_part, *zone, context.time_ms);
    }
  }
  return false;
}

std::optional<std::vector<Clause>> clauses_of(const Targeting& targeting, std::size_t limit) {
  return convert(targeting, false, limit);
}

}  // namespace marquee::decision
