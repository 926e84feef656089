// The impressions of what has a cap, as words of 64 bits: key (32), second modulo 2^24 (24), count (8). 0 is free. The
// second's round follows from the profile's last event, which is never before an impression.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "marquee/profile/caps.h"
#include "marquee/profile/profile.h"

namespace marquee::profile {

/// Words of one profile; not thread safe.
class CapLog {
 public:
  /// `last_seen`: of the profile, at which the words were written.
  CapLog(std::vector<std::uint64_t> words, Seconds last_seen);

  /// The profile was seen later: lets go of what is older than any cap.
  void advance(Seconds last_seen);
  /// One impression, not after last_seen. Lets go of what no rule needs any more. With no more than `room` words:
  /// beyond it the two closest of a key become one at the later time, so that counts are never too small. False where
  /// all were of different keys, and the oldest had to go.
  [[nodiscard]] bool add(CapKey key, Seconds time, const CapRules& rules, std::size_t room);

  [[nodiscard]] const std::vector<std::uint64_t>& words() const { return words_; }

 private:
  [[nodiscard]] Seconds time_of(std::uint64_t word) const;
  void drop_what_no_rule_needs(const CapRules& rules);
  [[nodiscard]] bool make_room(std::size_t room);

  std::vector<std::uint64_t> words_;
  Seconds last_seen_;
};

/// Impressions of the key after `now - window_s` in the words of a profile.
[[nodiscard]] std::uint32_t count_impressions(std::span<const std::uint64_t> words, Seconds last_seen, CapKey key,
                                              std::uint32_t window_s, Seconds now);

}  // namespace marquee::profile
