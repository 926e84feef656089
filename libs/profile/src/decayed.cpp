#include "decayed.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

namespace marquee::profile {
namespace {

constexpr int kFaintest = -kFaintestOctaves * kStepsPerOctave;

/// Time in steps of the half-life, since the epoch.
std::int64_t steps(Seconds time, std::uint32_t half_life_s) {
  return static_cast<std::int64_t>(time) * kStepsPerOctave / half_life_s;
}

std::int32_t steps_of_amount(std::uint32_t amount) {
  return amount <= 1 ? 0 : static_cast<std::int32_t>(std::lround(std::log2(amount) * kStepsPerOctave));
}

/// log2(1 + 2^-x) in steps, for x in steps: what the smaller of two counts adds to the larger one. A table with lines
/// between its points, of whole numbers: the same on every machine.
class Sum {
 public:
  Sum() {
    for (std::size_t i = 0; i < points_.size(); ++i) {
      const double x = static_cast<double>(i * kGrain) / kStepsPerOctave;
      points_[i] = static_cast<std::int32_t>(std::lround(std::log2(1 + std::exp2(-x)) * kStepsPerOctave * kGrain));
    }
  }
  [[nodiscard]] std::int32_t of(std::int32_t apart) const {
    const auto i = static_cast<std::size_t>(apart) / kGrain;
    if (i + 1 >= points_.size()) return 0;
    const auto beyond = static_cast<std::int32_t>(static_cast<std::size_t>(apart) % kGrain);
    const std::int32_t between =
        points_[i] * static_cast<std::int32_t>(kGrain) + (points_[i + 1] - points_[i]) * beyond;
    return (between + kHalf) / (2 * kHalf);
  }

 private:
  static constexpr std::size_t kGrain = 16;
  static constexpr std::int32_t kHalf = kGrain * kGrain / 2;
  std::array<std::int32_t, 12 * kStepsPerOctave / kGrain> points_;
};

std::int32_t sum(std::int32_t a, std::int32_t b) {
  static const Sum table;
  return std::max(a, b) + table.of(std::abs(a - b));
}

/// A kept count relative to one of 1 at `reference`, which is not long before or after.
std::int32_t relative(std::uint16_t kept, std::int64_t reference) {
  return static_cast<std::int16_t>(static_cast<std::uint16_t>(kept - static_cast<std::uint16_t>(reference)));
}

}  // namespace

void add_topic(ProfileRecord& record, TopicKind kind, Topic topic, Seconds time, std::uint32_t amount) {
  const auto& [first, count, half_life] = room(kind);
  const std::int64_t reference = steps(record.last_seen, half_life);
  const std::int64_t added = steps(time, half_life) - reference + steps_of_amount(amount);
  if (added <= kFaintest) return;
  std::size_t place = first;
  std::int32_t lightest = INT32_MAX;
  for (std::size_t i = first; i < std::size_t{first} + count; ++i) {
    if (record.topics[i] == topic) {
      place = i;
      lightest = relative(record.weights[i], reference);
      break;
    }
    const std::int32_t weight = record.topics[i] == 0 ? INT32_MIN : relative(record.weights[i], reference);
    if (weight < lightest) {
      place = i;
      lightest = weight;
    }
  }
  const auto own = static_cast<std::int32_t>(added);
  const std::int32_t weight = lightest == INT32_MIN ? own : sum(lightest, own);
  record.topics[place] = topic;
  record.weights[place] = static_cast<std::uint16_t>(reference + std::min(weight, -kFaintest));
}

void drop_faint_topics(ProfileRecord& record, Seconds now) {
  for (const auto& [first, count, half_life] : kRooms) {
    const std::int64_t reference = steps(record.last_seen, half_life);
    const std::int64_t passed = steps(now, half_life) - reference;
    for (std::size_t i = first; i < std::size_t{first} + count; ++i) {
      if (record.topics[i] == 0 || relative(record.weights[i], reference) - passed > kFaintest) continue;
      record.topics[i] = 0;
      record.weights[i] = 0;
    }
  }
}

double weight_at(const ProfileRecord& record, const TopicRoom& room, std::size_t place, Seconds now) {
  if (record.topics[place] == 0) return 0;
  const std::int64_t reference = steps(record.last_seen, room.half_life_s);
  const double octaves =
      static_cast<double>(relative(record.weights[place], reference) - (steps(now, room.half_life_s) - reference));
  return std::exp2(octaves / kStepsPerOctave);
}

}  // namespace marquee::profile
