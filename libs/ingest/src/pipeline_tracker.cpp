#include <algorithm>

#include "marquee/ingest/pipeline.h"

namespace marquee::ingest {
namespace {

constexpr std::int64_t kSecond = 1'000;
constexpr std::int64_t kMeasuredOver = 15 * kSecond;  ///< Of rates: a batch or two more or less does not show.
constexpr std::int64_t kLeastMeasured = kSecond;
constexpr double kWaitsLong = 10;               ///< Seconds; what lands as it comes waits for less than one.
constexpr double kWaitsVeryLong = 30;           ///< Seconds.
constexpr std::int64_t kSilent = 65 * kSecond;  ///< A loader tells at least every 30 s; so it has missed two.
constexpr std::int64_t kTold = 10 * kSecond;    ///< A rate that a loader told is its rate for so long.
constexpr std::int64_t kBetweenMoments = 5 * kSecond;
constexpr std::size_t kMoments = 180;  ///< A quarter of an hour.

double in_seconds(std::int64_t span_ms) { return static_cast<double>(span_ms) / kSecond; }

}  // namespace

std::string_view name_of(PartitionState state) {
  switch (state) {
    case PartitionState::landed:
      return "landed";
    case PartitionState::landing:
      return "landing";
    case PartitionState::behind:
      return "behind";
    case PartitionState::stalled:
      return "stalled";
    case PartitionState::failing:
      return "failing";
    case PartitionState::silent:
      return "silent";
    case PartitionState::orphaned:
      return "orphaned";
  }
  return {};
}

bool Pipeline::wants_attention() const {
  return !log_answers || !store_answers || std::ranges::any_of(partitions, [](const PipelinePartition& one) {
    return ingest::wants_attention(one.state);
  });
}

const Pipeline& PipelineTracker::add(const PipelineLook& look, const std::vector<PartitionStatus>& own) {
  take_log(look);
  take_told(look, own);
  for (std::size_t p = 0; p < memories_.size(); ++p) measure(pipeline_.partitions[p], memories_[p], look.time_ms);
  sum_up(look.time_ms);
  return pipeline_;
}

void PipelineTracker::take_log(const PipelineLook& look) {
  pipeline_.log_answers = look.log.has_value();
  if (!look.log) return;
  const auto now = look.time_ms;
  pipeline_.partitions.resize(look.log->size());
  memories_.resize(look.log->size());
  for (std::size_t p = 0; p < memories_.size(); ++p) {
    const log::Standing& standing = (*look.log)[p];
    PipelinePartition& one = pipeline_.partitions[p];
    Memory& memory = memories_[p];
    one.told.partition = static_cast<log::Partition>(p);
    one.told.landed = standing.landed;
    one.told.end = standing.kept.end;
    one.has_loader = standing.is_followed;
    // A record whose time cannot be read waits at least since it was first seen.
    const bool is_same = !memory.samples.empty() && memory.samples.back().landed == standing.landed;
    if (one.told.lag_events() == 0)
      memory.waiting_since.reset();
    else if (standing.waiting_since_ms || !is_same || !memory.waiting_since)
      memory.waiting_since = standing.waiting_since_ms.value_or(now);
    if (standing.is_followed == true) memory.without_loader_since.reset();
    if (standing.is_followed == false && !memory.without_loader_since) memory.without_loader_since = now;
    // Of a log that began anew, nothing before counts.
    if (!memory.samples.empty() && memory.samples.back().end > standing.kept.end) memory.samples.clear();
    memory.samples.push_back({now, standing.landed, standing.kept.end});
    // The last one from before the span stays: the span begins with it.
    while (memory.samples.size() > 2 && memory.samples[1].time_ms <= now - kMeasuredOver) memory.samples.pop_front();
  }
}

void PipelineTracker::take_told(const PipelineLook& look, const std::vector<PartitionStatus>& own) {
  pipeline_.store_answers = look.told.has_value();
  const auto take = [this](const PartitionStatus& told) {
    if (told.partition >= pipeline_.partitions.size()) return;  // Of another log.
    PartitionStatus& kept = pipeline_.partitions[told.partition].told;
    const auto landed = kept.landed;
    const auto end = kept.end;
    kept = told;
    kept.landed = landed;
    kept.end = end;
  };
  if (look.told) std::ranges::for_each(*look.told, take);
  std::ranges::for_each(own, take);
  if (!look.told) return;
  for (auto& one : pipeline_.partitions) {
    const auto p = one.told.partition;
    one.dead_letters = p < look.dead_letters.size() ? look.dead_letters[p] : 0;
  }
}

void PipelineTracker::measure(PipelinePartition& one, Memory& memory, std::int64_t now) {
  const auto lag = one.told.lag_events();
  one.lag_seconds = memory.waiting_since ? in_seconds(std::max<std::int64_t>(now - *memory.waiting_since, 0)) : 0;
  const Sample& first = memory.samples.front();
  const Sample& last = memory.samples.back();
  if (const auto span = last.time_ms - first.time_ms; span >= kLeastMeasured) {
    one.landing_per_second = static_cast<double>(last.landed - std::min(first.landed, last.landed)) / in_seconds(span);
    one.arriving_per_second = static_cast<double>(last.end - first.end) / in_seconds(span);
  } else {
    one.landing_per_second = now - one.told.time_ms <= kTold ? one.told.events_per_second : 0;
    one.arriving_per_second = 0;
  }
  one.done_in.reset();
  if (lag == 0)
    one.done_in = 0;
  else if (one.landing_per_second > one.arriving_per_second)
    one.done_in = static_cast<double>(lag) / (one.landing_per_second - one.arriving_per_second);
  one.state = judge(one, memory, now);
}

PartitionState PipelineTracker::judge(const PipelinePartition& one, const Memory& memory, std::int64_t now) const {
  if (memory.without_loader_since && now - *memory.without_loader_since >= patience_.count())
    return PartitionState::orphaned;
  // While the store is away nobody can tell anything.
  if (pipeline_.store_answers && one.told.time_ms != 0 && now - one.told.time_ms > kSilent)
    return PartitionState::silent;
  if (!one.told.last_error.empty()) return PartitionState::failing;
  if (one.told.lag_events() == 0) return PartitionState::landed;
  if (one.landing_per_second == 0 && one.lag_seconds > kWaitsVeryLong) return PartitionState::stalled;
  if (!one.done_in && one.lag_seconds > kWaitsLong) return PartitionState::behind;
  return PartitionState::landing;
}

void PipelineTracker::sum_up(std::int64_t now) {
  PipelineMoment sum{.time_ms = now};
  pipeline_.done_in = 0;
  for (const auto& one : pipeline_.partitions) {
    sum.lag_events += one.told.lag_events();
    sum.lag_seconds = std::max(sum.lag_seconds, one.lag_seconds);
    sum.landing_per_second += one.landing_per_second;
    sum.arriving_per_second += one.arriving_per_second;
    if (!one.done_in)
      pipeline_.done_in.reset();
    else if (pipeline_.done_in)
      pipeline_.done_in = std::max(*pipeline_.done_in, *one.done_in);
  }
  pipeline_.now = sum;
  auto& history = pipeline_.history;
  if (!pipeline_.log_answers || (!history.empty() && now - history.back().time_ms < kBetweenMoments)) return;
  history.push_back(sum);
  if (history.size() > kMoments) history.pop_front();
}

}  // namespace marquee::ingest
