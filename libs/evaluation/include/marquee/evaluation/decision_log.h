// Logged decisions: what was shown where, how probable that was, and what came of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace marquee::evaluation {

/// One field of what was known at a decision, as codes of its values.
struct ContextField {
  static constexpr std::uint32_t kAbsent = std::numeric_limits<std::uint32_t>::max();
  std::string name;
  std::vector<std::string> values;
  std::vector<std::uint32_t> code;  ///< Of each decision: an index into values, or kAbsent.
};

/// Columns over the same decisions; ads and positions are indices into their lists.
struct DecisionLog {
  std::vector<std::string> ads;
  std::vector<std::string> positions;  ///< Ascending: as numbers where all are, else as text.
  std::vector<std::uint32_t> ad;       ///< That was shown.
  std::vector<std::uint32_t> position;
  std::vector<double> reward;
  std::vector<double> propensity;  ///< With which the logging policy chose `ad` at `position`.
  std::vector<ContextField> context;

  /// The candidates of decision i are [candidates_begin[i], candidates_begin[i + 1]) of the two columns below.
  /// Empty: the log does not name them, and every ad of `ads` was one.
  std::vector<std::size_t> candidates_begin;
  std::vector<std::uint32_t> candidate_ad;
  std::vector<double> candidate_propensity;
  std::vector<double> candidate_target;  ///< Under a policy that was computed elsewhere; empty where the log has none.

  [[nodiscard]] std::size_t size() const { return ad.size(); }
  [[nodiscard]] bool names_candidates() const { return !candidates_begin.empty(); }
  /// Index of `id` in `ads`, adding it where it is new.
  std::uint32_t ad_index(const std::string& id);
};

}  // namespace marquee::evaluation
