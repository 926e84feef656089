// What becomes of the events between the log and the store, by partition: for people, alerts and the console.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "marquee/clickhouse/client.h"
#include "marquee/log/event_log.h"

namespace marquee::ingest {

/// A partition as its loader tells of it.
struct PartitionStatus {
  log::Partition partition = 0;
  std::string loader;            ///< "host:pid"; empty where no loader ever told of the partition.
  std::int64_t time_ms = 0;      ///< When it told, milliseconds since the Unix epoch.
  log::Offset landed = 0;        ///< Everything before is in the store.
  log::Offset end = 0;           ///< One past the last record in the log.
  double lag_seconds = 0;        ///< Age of the oldest event that was read and has not landed; 0 where there is none.
  double events_per_second = 0;  ///< Landed, over the last seconds.
  std::uint64_t batch_rows = 0;  ///< Of the batch that landed last.
  std::int64_t landed_ms = 0;    ///< When it did; 0: none has since this loader took the partition. Not in the store.
  std::uint64_t events_landed = 0, repeats_dropped = 0, dead_letters = 0;  ///< Since this loader took the partition.
  std::string last_error;                                                  ///< Empty when the last batch landed.

  [[nodiscard]] std::uint64_t lag_events() const { return end > landed ? end - landed : 0; }
};

/// Writes what a loader sees to the store.
[[nodiscard]] Result<void> write_pipeline(clickhouse::Client& store, const std::vector<PartitionStatus>& partitions);

/// How a partition fares, from good to bad.
enum class PartitionState : std::uint8_t {
  landed,    ///< Nothing waits.
  landing,   ///< What waits is young, or on its way.
  behind,    ///< Events wait for long, and no fewer of them.
  stalled,   ///< Events wait, and none lands.
  failing,   ///< Its loader's last attempt failed.
  silent,    ///< It has a loader that has told nothing for long.
  orphaned,  ///< No loader has it.
};
[[nodiscard]] std::string_view name_of(PartitionState state);
[[nodiscard]] constexpr bool wants_attention(PartitionState state) { return state > PartitionState::landing; }

/// A partition as log, store and loader together show it.
struct PipelinePartition {
  PartitionStatus told;  ///< By its loader, but for `landed` and `end`, which are the log's.
  PartitionState state = PartitionState::landed;
  std::optional<bool> has_loader;  ///< nullopt: not known just now.
  double lag_seconds = 0;          ///< Age of the first record that has not landed.
  double landing_per_second = 0;   ///< Events that land, and
  double arriving_per_second = 0;  ///< events that come, over the last seconds.
  std::optional<double> done_in;   ///< Seconds until nothing waits, if it goes on like this; nullopt: never.
  std::uint64_t dead_letters = 0;  ///< In the store's table.
};

/// The sums at one moment.
struct PipelineMoment {
  std::int64_t time_ms = 0;
  std::uint64_t lag_events = 0;
  double lag_seconds = 0;  ///< Of the partition where it is largest.
  double landing_per_second = 0;
  double arriving_per_second = 0;
};

struct Pipeline {
  PipelineMoment now;
  bool log_answers = false;    ///< Where it does not, the partitions are as they were when it last did,
  bool store_answers = false;  ///< and so are loaders, batches, dead letters and errors.
  std::optional<double> done_in;
  std::vector<PipelinePartition> partitions;
  std::deque<PipelineMoment> history;  ///< Oldest first.

  [[nodiscard]] bool wants_attention() const;
};

/// What is to be seen at one moment.
struct PipelineLook {
  std::int64_t time_ms = 0;
  std::optional<std::vector<log::Standing>> log;     ///< nullopt: it does not answer.
  std::optional<std::vector<PartitionStatus>> told;  ///< nullopt: the store does not answer.
  std::vector<std::uint64_t> dead_letters;           ///< By partition; of the store, as `told`.
};
/// Looks at both; blocks for some seconds where one of them is silent. `topic` is the log's, as its dead letters name
/// it (LoaderOptions::topic): those of other topics are not its partitions'.
[[nodiscard]] PipelineLook look_at_pipeline(clickhouse::Client& store, log::EventLog& log, const std::string& topic);

/// Makes of looks, one after the other, how the pipeline fares: what moves is seen only by looking twice. Not thread
/// safe.
class PipelineTracker {
 public:
  /// A partition is orphaned once it was seen without loader for `patience`: while loaders share the partitions anew,
  /// one may be nobody's for a moment.
  explicit PipelineTracker(Millis patience = Millis(5'000)) : patience_(patience) {}

  /// `own`: what a loader of this process tells, which is fresher than what it wrote to the store.
  const Pipeline& add(const PipelineLook& look, const std::vector<PartitionStatus>& own = {});
  [[nodiscard]] const Pipeline& pipeline() const { return pipeline_; }

 private:
  struct Sample {
    std::int64_t time_ms = 0;
    log::Offset landed = 0, end = 0;
  };
  struct Memory {
    std::deque<Sample> samples;
    std::optional<std::int64_t> waiting_since;  ///< Of the first record that has not landed.
    std::optional<std::int64_t> without_loader_since;
  };
  void take_log(const PipelineLook& look);
  void take_told(const PipelineLook& look, const std::vector<PartitionStatus>& own);
  void measure(PipelinePartition& one, Memory& memory, std::int64_t now);
  [[nodiscard]] PartitionState judge(const PipelinePartition& one, const Memory& memory, std::int64_t now) const;
  void sum_up(std::int64_t now);

  const Millis patience_;
  Pipeline pipeline_;
  std::vector<Memory> memories_;
};

}  // namespace marquee::ingest
