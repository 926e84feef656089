// What users are interested in, as hashes: a topic is a word, a course, a category, a page, a campaign or an ad.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace marquee::profile {

/// 32-bit hash of a kind and a text; never 0.
using Topic = std::uint32_t;

enum class TopicKind : std::uint8_t {
  search_word,
  course,
  category,
  page,
  campaign_seen,
  campaign_clicked,
  ad_seen,
  ad_clicked,
};
inline constexpr std::size_t kTopicKinds = 8;

/// How a profile keeps a kind: so many topics at most, whose weights halve in such a time.
struct TopicRoom {
  std::uint8_t first = 0, count = 0;  ///< Places in the profile.
  std::uint32_t half_life_s = 0;
};
inline constexpr std::uint32_t kDayS = 86'400;
inline constexpr std::array<TopicRoom, kTopicKinds> kRooms = {{{0, 6, 3 * kDayS},
                                                               {6, 4, 14 * kDayS},
                                                               {10, 4, 30 * kDayS},
                                                               {14, 2, 7 * kDayS},
                                                               {16, 5, 3 * kDayS},
                                                               {21, 3, 14 * kDayS},
                                                               {24, 6, 3 * kDayS},
                                                               {30, 3, 14 * kDayS}}};
inline constexpr std::size_t kTopics = 33;

[[nodiscard]] inline const TopicRoom& room(TopicKind kind) { return kRooms[static_cast<std::size_t>(kind)]; }

/// Seen and clicked of the same campaign (or ad) have the same topic. Text is compared as bytes.
[[nodiscard]] Topic topic_of(TopicKind kind, std::string_view text);

/// Gives the words of a query in lower case (ASCII; other letters as they are), each of at least two bytes, eight at
/// most. The word is borrowed until `on_word` returns.
void for_each_word(std::string_view query, const std::function<void(std::string_view)>& on_word);

}  // namespace marquee::profile
