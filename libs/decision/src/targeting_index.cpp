#include "targeting_index.h"

#include <algorithm>

#include "day_part_rule.h"
#include "marquee/base/zone.h"

namespace marquee::decision {
namespace {

bool is_same(const DayPart& a, const DayPart& b) {
  return a.days == b.days && a.from_minute == b.from_minute && a.to_minute == b.to_minute && a.zone == b.zone;
}

bool is_of(const Known& known, Field field, const std::string& name) {
  return known.field == field && (field != Field::attribute || known.name == name);
}

}  // namespace

TargetingIndex::TargetingIndex(const std::vector<const Targeting*>& targets) {
  std::vector<Clause> all;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto campaign = static_cast<std::uint32_t>(i);
    const auto clauses = clauses_of(*targets[i], kMostClauses);
    if (!clauses) {
      rows_.push_back({campaign, targets[i]});
      all.emplace_back();
      continue;
    }
    for (const auto& clause : *clauses) {
      rows_.push_back({campaign, nullptr});
      all.push_back(clause);
    }
  }
  for (std::size_t row = 0; row < all.size(); ++row) add(row, all[row]);
}

void TargetingIndex::add(std::size_t row, const Clause& clause) {
  for (const auto& [condition, is_negated] : clause) {
    if (condition->kind == Targeting::Kind::within) {
      auto& rule = time(condition->day_part);
      (is_negated ? rule.outside : rule.inside).set(row);
      continue;
    }
    const auto add_values = [&](ByValue& rows) {
      for (const auto& value : condition->values) rows.try_emplace(value, rows_.size()).first->second.set(row);
    };
    if (is_negated) {
      add_values(exclusion(*condition).rows);
      continue;
    }
    std::size_t ordinal = 0;
    while (!dimension(*condition, ordinal).indifferent.has(row)) ++ordinal;
    auto& free = dimension(*condition, ordinal);
    free.indifferent.clear(row);
    add_values(free.rows);
  }
}

TargetingIndex::Dimension& TargetingIndex::dimension(const Targeting& condition, std::size_t ordinal) {
  auto& all = condition.field == Field::slot ? slot_dimensions_ : dimensions_;
  for (auto& one : all)
    if (one.field == condition.field && one.name == condition.name && ordinal-- == 0) return one;
  return all.emplace_back(condition.field, condition.name, ByValue(), Bitmap(rows_.size(), true));
}

TargetingIndex::Exclusion& TargetingIndex::exclusion(const Targeting& condition) {
  auto& all = condition.field == Field::slot ? slot_exclusions_ : exclusions_;
  for (auto& one : all)
    if (one.field == condition.field && one.name == condition.name) return one;
  return all.emplace_back(condition.field, condition.name, ByValue());
}

TargetingIndex::Time& TargetingIndex::time(const DayPart& part) {
  for (auto& one : times_)
    if (is_same(one.part, part)) return one;
  return times_.emplace_back(part, find_zone(part.zone), Bitmap(rows_.size()), Bitmap(rows_.size()));
}

void TargetingIndex::match(const Context& context, Bitmap& rows) const {
  rows.reset(rows_.size(), true);
  thread_local Bitmap scratch;
  thread_local std::vector<const Bitmap*> named;
  for (const auto& dimension : dimensions_) {
    named.clear();
    for (const auto& known : context.known)
      if (is_of(known, dimension.field, dimension.name))
        if (const auto found = dimension.rows.find(known.value); found != dimension.rows.end())
          named.push_back(&found->second);
    narrow(dimension, named, scratch, rows);
  }
  for (const auto& exclusion : exclusions_)
    for (const auto& known : context.known)
      if (is_of(known, exclusion.field, exclusion.name))
        if (const auto found = exclusion.rows.find(known.value); found != exclusion.rows.end())
          rows.subtract(found->second);
  for (const auto& time : times_)
    rows.subtract(is_within(time.part, *time.zone, context.time_ms) ? time.outside : time.inside);
}

void TargetingIndex::narrow(const Dimension& dimension, const std::vector<const Bitmap*>& named, Bitmap& scratch,
                            Bitmap& rows) {
  if (named.empty()) {
    rows &= dimension.indifferent;
    return;
  }
  scratch = dimension.indifferent;
  for (const auto* one : named) scratch |= *one;
  rows &= scratch;
}

bool TargetingIndex::looks_at_slots() const {
  return !slot_dimensions_.empty() || !slot_exclusions_.empty() ||
         std::ranges::any_of(rows_, [](const Row& row) { return row.late != nullptr; });
}

void TargetingIndex::campaigns_for(const Bitmap& rows, const Context& context, std::string_view slot, Bitmap& scratch,
                                   std::vector<std::uint32_t>& campaigns) const {
  scratch = rows;
  thread_local Bitmap any;
  for (const auto& dimension : slot_dimensions_) {
    const auto found = dimension.rows.find(slot);
    narrow(dimension, found == dimension.rows.end() ? std::vector<const Bitmap*>() : std::vector{&found->second}, any,
           scratch);
  }
  for (const auto& exclusion : slot_exclusions_)
    if (const auto found = exclusion.rows.find(slot); found != exclusion.rows.end()) scratch.subtract(found->second);
  campaigns.clear();
  scratch.for_each([&](std::size_t row) {
    const auto& [campaign, late] = rows_[row];
    if (!campaigns.empty() && campaigns.back() == campaign) return;
    if (late != nullptr && !holds(*late, context, slot)) return;
    campaigns.push_back(campaign);
  });
}

}  // namespace marquee::decision
