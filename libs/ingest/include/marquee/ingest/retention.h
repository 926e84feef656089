// How long the store keeps what: after so many days rows go by themselves (TTL of the tables).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/clickhouse/client.h"

namespace marquee::ingest {

/// In days; 0: for ever.
struct Retention {
  std::uint64_t events = 0;
  std::map<std::string, std::uint64_t> kinds = {};  ///< Of events of one type, where that is shorter: "hover".
  std::uint64_t decisions = 0;
  std::uint64_t dead_letters = 0;
  /// Of all that events go by; 0: none goes. Rollups that have users (user_days, user_features) are kept so long, as a
  /// row of theirs is of events of several kinds.
  [[nodiscard]] std::uint64_t shortest() const;
};

/// "hover=30,scroll=14". Action::reject names what is none: types are events', days whole numbers from 1 to 36,500.
[[nodiscard]] Result<std::map<std::string, std::uint64_t>> read_kinds(std::string_view text);

/// Gives the tables these terms, where they have others; returns the number of tables that were changed. Rows of before
/// go in the background, with the store's next merges (hours). Sums without users (campaigns, heatmaps) stay.
[[nodiscard]] Result<std::uint64_t> apply_retention(clickhouse::Client& store, const Retention& retention);

/// Of each table that has a term: its name and the term, as the store tells it.
[[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> retention_terms(clickhouse::Client& store);

/// The first day (partition id, "20260131") of which the events table still has every event by its terms: a rollup of a
/// day before cannot be counted again. Empty: of all days.
[[nodiscard]] Result<std::string> whole_since(clickhouse::Client& store);

}  // namespace marquee::ingest
