// The targeting of many campaigns, found by what is known of a request instead of asked one by one.
//
// Each campaign's targeting is brought into clauses; a clause is a row. Of the conditions of a clause that look at the
// same field the first goes into the field's first dimension, the second into its second, and so on. A dimension has a
// bitmap of rows for each value that some row names, and one of the rows that do not ask. A request's rows are those
// that in every dimension do not ask or name a value that the request has, less those that exclude such a value, less
// those whose times it is not. Targeting of more clauses than kMostClauses is a row that asks nothing and is evaluated
// afterwards.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bitmap.h"
#include "targeting_rule.h"
#include "text_hash.h"

namespace date {
class time_zone;
}

namespace marquee::decision {

class TargetingIndex {
 public:
  static constexpr std::size_t kMostClauses = 64;

  /// `targets`, one per campaign, must outlive it and name zones that exist.
  explicit TargetingIndex(const std::vector<const Targeting*>& targets);

  /// The rows that hold whatever the slot.
  void match(const Context& context, Bitmap& rows) const;
  /// Whether campaigns_for() may differ from slot to slot.
  [[nodiscard]] bool looks_at_slots() const;
  /// The campaigns, as ascending numbers of `targets`, of which a row holds for the slot too. `rows` is of match();
  /// `scratch` and `campaigns` are overwritten.
  void campaigns_for(const Bitmap& rows, const Context& context, std::string_view slot, Bitmap& scratch,
                     std::vector<std::uint32_t>& campaigns) const;

 private:
  using ByValue = TextMap<Bitmap>;
  struct Dimension {
    Field field;
    std::string name;  ///< Of an attribute.
    ByValue rows;
    Bitmap indifferent;
  };
  struct Exclusion {
    Field field;
    std::string name;
    ByValue rows;
  };
  struct Time {
    DayPart part;
    const date::time_zone* zone;
    Bitmap inside, outside;  ///< Rows that hold only then, and only else.
  };
  struct Row {
    std::uint32_t campaign;
    const Targeting* late;  ///< To be evaluated; null: the bitmaps say all.
  };
  void add(std::size_t row, const Clause& clause);
  Dimension& dimension(const Targeting& condition, std::size_t ordinal);
  Exclusion& exclusion(const Targeting& condition);
  Time& time(const DayPart& part);
  static void narrow(const Dimension& dimension, const std::vector<const Bitmap*>& named, Bitmap& scratch,
                     Bitmap& rows);

  std::vector<Row> rows_;
  std::vector<Dimension> dimensions_, slot_dimensions_;
  std::vector<Exclusion> exclusions_, slot_exclusions_;
  std::vector<Time> times_;
};

}  // namespace marquee::decision
