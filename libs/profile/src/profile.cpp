#include "marquee/profile/profile.h"

#include <algorithm>

#include "decayed.h"

namespace marquee::profile {
namespace {

std::uint32_t sum_of_days(const std::array<std::uint8_t, kDays>& ring, std::uint32_t last, std::size_t days,
                          std::uint32_t today) {
  std::uint32_t sum = 0;
  for (std::uint32_t back = 0; back < std::min(days, kDays); ++back) {
    const std::uint32_t day = today - back;
    if (day <= last && last - day < kDays) sum += ring[day % kDays];
  }
  return sum;
}

}  // namespace

double Profile::weight(TopicKind kind, Topic topic, Seconds now) const {
  const TopicRoom& places = room(kind);
  for (std::size_t i = places.first; i < std::size_t{places.first} + places.count; ++i)
    if (record_.topics[i] == topic) return weight_at(record_, places, i, now);
  return 0;
}

std::vector<Interest> Profile::interests(TopicKind kind, Seconds now) const {
  const TopicRoom& places = room(kind);
  std::vector<Interest> all;
  for (std::size_t i = places.first; i < std::size_t{places.first} + places.count; ++i)
    if (record_.topics[i] != 0) all.push_back({record_.topics[i], weight_at(record_, places, i, now)});
  std::ranges::sort(all, [](const Interest& a, const Interest& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.topic < b.topic;
  });
  return all;
}

std::uint32_t Profile::impressions(std::size_t days, Seconds now) const {
  return sum_of_days(record_.impressions, record_.day, days, now / kDayS);
}

std::uint32_t Profile::clicks(std::size_t days, Seconds now) const {
  return sum_of_days(record_.clicks, record_.day, days, now / kDayS);
}

}  // namespace marquee::profile
