// The SQL of a segment's rule: one pass over the events of each user.
#pragma once

#include <string>

#include "marquee/analytics/segments.h"

namespace marquee::analytics {

struct SegmentQuery {
  std::string sql;  ///< Rows: user_key, each once.
  clickhouse::Parameters parameters;
  Scope data;  ///< What the answer depends on.
};

/// `scope`: the site with its segments. The rule has been checked.
[[nodiscard]] Result<SegmentQuery> segment_query(const SegmentRule& rule, const Scope& scope);

}  // namespace marquee::analytics
