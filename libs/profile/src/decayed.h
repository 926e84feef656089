// Counts that decay, in 16 bits each, which need no touch to decay.
//
// A count at time t is 2^(s - t / half-life), so that s = log2 of the sum of 2^(time of each occurrence / half-life)
// stays the same while the count decays, and counts of one half-life compare by s (forward decay: Cormode, Shkapenyuk,
// Srivastava, Xu, ICDE 2009). s is kept in 1/1,024 of a power of two, modulo 64: what it is follows from the time of
// the profile's last event. Counts below 2^-16 are let go, so that none is taken for a count of another round.
#pragma once

#include <cstdint>

#include "marquee/profile/profile.h"

namespace marquee::profile {

inline constexpr int kStepsPerOctave = 1'024;
inline constexpr int kFaintestOctaves = 16;

/// Adds one occurrence of weight `amount` (at least 1) at `time`, not after record.last_seen; into a full kind in place
/// of the lightest topic (space-saving: Metwally, Agrawal, El Abbadi, ICDT 2005).
void add_topic(ProfileRecord& record, TopicKind kind, Topic topic, Seconds time, std::uint32_t amount);

/// Lets go of what has become too faint by `now`, which is about to be the record's last_seen.
void drop_faint_topics(ProfileRecord& record, Seconds now);

/// Of the topic at that place, at `now`.
[[nodiscard]] double weight_at(const ProfileRecord& record, const TopicRoom& room, std::size_t place, Seconds now);

}  // namespace marquee::profile
