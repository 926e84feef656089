// What was learned as bytes: the same bytes for the same state, whatever order its maps have.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/learning/learner.h"

namespace marquee::learning {

template <class Head, class Table, class Precisions, class Rates, class Positions, class Fit>
struct Parts {
  Head& head;
  Table& table;
  Precisions& precisions;
  Rates& priors;
  Positions& examination;
  Fit& fit;
};
using LearnedParts = Parts<const StateHead, const std::vector<Coordinate>, const TermPrecisions, const Priors,
                           const Examination, const PositionFit>;
using FreshParts = Parts<StateHead, std::vector<Coordinate>, TermPrecisions, Priors, Examination, PositionFit>;

/// Little-endian: head; by position, examination and clicks; count of prior nodes, and each by its key (key, clicks,
/// exposure); count of ads, and each in the order first seen (path, impressions by position); the terms' precisions;
/// count of slots in use, and those by position (steps u32; then all z; then all n; then all terms).
[[nodiscard]] std::string state_bytes(const LearnedParts& parts);

/// Fills the parts, which must be fresh. Fails with `reject` for another spec or size of table than the head's, with
/// `give_up` for bytes that are no state.
[[nodiscard]] Result<> read_state(std::string_view bytes, const FreshParts& parts);

/// "MQLM", format (u32), checksum of what follows (XXH3 seeded with the size), size of the state (u64), and the state
/// compressed.
[[nodiscard]] std::string packed(std::string_view state);
[[nodiscard]] Result<std::string> unpacked(std::string_view bytes);

}  // namespace marquee::learning
