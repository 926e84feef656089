// Dimensions whose value is the user's, not the event's own: `segment`, the segments that the user is in, and
// `arm.<experiment>`, the arm of the experiment that the user was first exposed to. Only over the events.
//
// Exposures are events of type `exposure` with props `experiment` and `arm`, of users with key, no bots; those before
// the end of what is asked count, however long ago. The value of an event is its user's arm from the first exposure on;
// before, and of users who were exposed to no arm or to several, it is empty. A breakdown leaves the empty arm out, of
// the total too: what is compared is what the experiment changed.
//
// An event counts in every segment that its user is in, and in the empty one where there is none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "marquee/analytics/reports.h"

namespace marquee::analytics {

constexpr std::string_view kSegment = "segment";

[[nodiscard]] bool is_arm(std::string_view dimension);
/// Of an event, over a table with the joins below; `dimension` is one.
[[nodiscard]] std::string arm_expression(std::string_view dimension);
/// " AND ...": whether the user is in one of the segments; an empty value stands for none of them. Action::reject,
/// "filter: ...", where there is no such segment.
[[nodiscard]] Result<std::string> segment_condition(const Filter& filter, const Scope& scope,
                                                    clickhouse::Parameters& parameters, const std::string& name);

/// What a query over the events needs for those of its dimensions that are users'.
class UserDimensions {
 public:
  /// `read`: of which events.
  UserDimensions(const Scope& read, const std::vector<std::string>& by);
  void add(const std::vector<Filter>& filters);

  [[nodiscard]] bool is_by_segment() const { return is_by_segment_; }
  /// " GLOBAL LEFT ANY JOIN ...", for behind the table; empty where there is nothing to join.
  [[nodiscard]] std::string joins(clickhouse::Parameters& parameters) const;
  /// " AND ...": leaves out what has no arm in a breakdown by arms.
  [[nodiscard]] std::string conditions() const;
  /// An Array(String) of each row: the segments that its user is in, or the empty one.
  [[nodiscard]] static std::string segments_of_row();
  /// What the answer depends on: all exposures, which may be older than what is read.
  [[nodiscard]] Scope data() const;

 private:
  Scope read_;
  bool is_by_segment_ = false;
  std::vector<std::string> by_arms_;  ///< Of them each once.
  std::vector<std::string> arms_;     ///< Of the breakdown and of the filters.
};

/// Rows: user_key, since, arm: of each user who was exposed, with the time of the first exposure; the arm is empty
/// where there were several. In parentheses.
[[nodiscard]] std::string exposed_users(std::string_view experiment, const Scope& scope,
                                        clickhouse::Parameters& parameters);

}  // namespace marquee::analytics
