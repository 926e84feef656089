// Segments: sets of users of a site, told by what users did, by where they left a funnel, or by name. Who is in one is
// written into the store under a version; what the definition means is told here, so that who decides live can tell it
// of a single user.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "marquee/analytics/funnel.h"
#include "marquee/analytics/reports.h"

namespace marquee::analytics {

/// That a user had events of one of the types (none: of any), passed by every filter, at these times: so many at least,
/// or fewer.
struct SegmentCondition {
  FunnelMatch match;
  std::optional<std::int64_t> from_ms = {}, to_ms = {};  ///< As in Scope.
  std::uint64_t count = 1;                               ///< At least 1.
  bool is_fewer = false;
};
struct SegmentRule {
  enum class Kind { all, any, none, condition };
  Kind kind = Kind::condition;
  std::vector<SegmentRule> parts = {};  ///< At least one; of a condition none.
  SegmentCondition condition = {};
};
/// A rule is of users with any event at all: who had fewer of some had other ones. Of a funnel: who reached
/// `dropped_after`, but not the next step. Bots and users without key are in no segment, but for those named in a list.
using SegmentDefinition = std::variant<SegmentRule, FunnelRequest, std::vector<std::uint64_t>>;

/// Action::reject names what makes no sense.
[[nodiscard]] Result<void> check(const SegmentDefinition& definition);

struct SegmentPlace {
  std::string site_id, segment_id;
  std::uint64_t version = 0;
};

/// Writes the users of segments into the store, and removes them. Thread safe.
class SegmentWriter {
 public:
  explicit SegmentWriter(clickhouse::Client& store) : store_(store) {}

  /// Finds the users and writes them under a version that has none; gives their number. Where it fails some may be
  /// there: the version is not to be used, and to be removed. `scope`: the site with its segments.
  [[nodiscard]] Result<std::uint64_t> write(const SegmentPlace& place, const SegmentDefinition& definition,
                                            const Scope& scope);
  /// As long as this is the same, so are the users. On one machine; not of a cluster.
  [[nodiscard]] Result<std::string> state(const SegmentDefinition& definition, const Scope& scope);
  [[nodiscard]] Result<void> remove(std::uint64_t version);
  /// Ends a write() of the version that is under way, which then fails.
  void interrupt(std::uint64_t version);
  /// All that there are users under.
  [[nodiscard]] Result<std::vector<std::uint64_t>> versions();

 private:
  clickhouse::Client& store_;
};

}  // namespace marquee::analytics
