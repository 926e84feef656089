// What is known of one user while deciding, as a value.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "marquee/profile/topics.h"

namespace marquee::profile {

/// Seconds since the Unix epoch.
using Seconds = std::uint32_t;

struct Interest {
  Topic topic = 0;
  double weight = 0;
};

inline constexpr std::size_t kDays = 7;
inline constexpr std::uint32_t kVisitGapS = 30 * 60;

/// As it is kept in memory and in snapshots: 240 bytes without padding. All zero is a user of whom nothing is known.
struct ProfileRecord {
  Seconds first_seen, last_seen, last_impression, last_click;    ///< 0: never.
  std::array<Topic, kTopics> topics;                             ///< 0: free. Where each kind has its places: kRooms.
  std::array<std::uint16_t, kTopics> weights;                    ///< See decayed.h.
  std::uint16_t visits, day, impressions_in_all, clicks_in_all;  ///< `day`: of last_seen, since the epoch.
  std::array<std::uint8_t, kDays> impressions, clicks;           ///< By day modulo seven, at most 255 a day.
  std::array<std::uint8_t, 4> spare;
  bool operator==(const ProfileRecord&) const = default;
};
static_assert(sizeof(ProfileRecord) == 240);

/// A profile as it was read. Counts stop at what their fields hold, and never go round.
class Profile {
 public:
  Profile() = default;
  explicit Profile(const ProfileRecord& record) : record_(record) {}

  /// Decayed count at `now`: each occurrence counts 2^-(age / half-life of its kind). The kind's space-saving: a topic
  /// that came into a full kind has the weight of the one it replaced on top, so it is never too small while it is
  /// kept.
  [[nodiscard]] double weight(TopicKind kind, Topic topic, Seconds now) const;
  /// Heaviest first.
  [[nodiscard]] std::vector<Interest> interests(TopicKind kind, Seconds now) const;

  [[nodiscard]] Seconds first_seen() const { return record_.first_seen; }
  [[nodiscard]] Seconds last_seen() const { return record_.last_seen; }
  [[nodiscard]] Seconds last_impression() const { return record_.last_impression; }
  [[nodiscard]] Seconds last_click() const { return record_.last_click; }
  /// Begun by an event more than half an hour after the last one.
  [[nodiscard]] std::uint32_t visits() const { return record_.visits; }
  [[nodiscard]] std::uint32_t impressions() const { return record_.impressions_in_all; }
  [[nodiscard]] std::uint32_t clicks() const { return record_.clicks_in_all; }
  /// On the day of `now` (UTC) and those before it, `days` in all, at most seven.
  [[nodiscard]] std::uint32_t impressions(std::size_t days, Seconds now) const;
  [[nodiscard]] std::uint32_t clicks(std::size_t days, Seconds now) const;

  [[nodiscard]] const ProfileRecord& record() const { return record_; }

 private:
  ProfileRecord record_{};
};

}  // namespace marquee::profile
