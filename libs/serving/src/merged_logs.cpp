#include "merged_logs.h"

#include <algorithm>
#include <utility>

#include "marquee/log/await_records.h"
#include "marquee/log/current_end.h"
#include "seal.h"

namespace marquee::serving {
namespace {

constexpr std::size_t kMergedRecords = 5'000, kMergedBytes = std::size_t{2} << 20;

}  // namespace

Result<LogCut> MergedLogs::cut_at(WallTime events_from, WallTime decisions_from) const {
  LogCut cut;
  const auto find = [](log::EventLog& log, WallTime from, std::vector<log::Offset>& offsets) -> Result<void> {
    for (log::Partition partition = 0; partition < log.partitions(); ++partition) {
      const auto offset = log.offset_at(partition, from);
      if (!offset) return offset.error();
      offsets.push_back(*offset);
    }
    return {};
  };
  if (auto found = find(events_, events_from, cut.events); !found) return found.error();
  if (auto found = find(decisions_, decisions_from, cut.decisions); !found) return found.error();
  return cut;
}

Result<LogCut> MergedLogs::tip() const {
  LogCut cut;
  bool has_events = false;
  for (const auto& stream : streams_) {
    if (stream.is_decisions) continue;
    cut.events.push_back(std::max(stream.end, stream.log->end(stream.partition)));
    has_events = has_events || cut.events.back() > stream.end;
  }
  for (const auto& stream : streams_) {
    if (!stream.is_decisions) continue;
    // As of now, where events have come: the decision of each is there by now.
    const Result<log::Offset> end =
        has_events ? log::current_end(*stream.log, stream.partition) : stream.log->end(stream.partition);
    if (!end) return end.error();
    cut.decisions.push_back(std::max(stream.end, *end));
  }
  return cut;
}

bool MergedLogs::has(const LogCut& cut) const {
  const auto reaches_back = [](const log::EventLog& log, const std::vector<log::Offset>& from) {
    for (log::Partition i = 0; i < log.partitions() && i < from.size(); ++i)
      if (log.begin(i) > from[i]) return false;
    return true;
  };
  return reaches_back(events_, cut.events) && reaches_back(decisions_, cut.decisions);
}

void MergedLogs::begin(const LogCut& from) {
  streams_.clear();
  has_lost_ = false;
  // In this order: at equal times the first stream's record is given.
  add_streams(decisions_, from.decisions, true);
  add_streams(events_, from.events, false);
}

void MergedLogs::add_streams(log::EventLog& log, const std::vector<log::Offset>& from, bool is_decisions) {
  for (log::Partition partition = 0; partition < log.partitions(); ++partition) {
    const auto offset = partition < from.size() ? from[partition] : 0;  // Partitions may have been added.
    streams_.push_back(
        {.log = &log, .partition = partition, .is_decisions = is_decisions, .next = offset, .end = offset});
  }
}

void MergedLogs::advance(const LogCut& to) {
  for (auto& stream : streams_) {
    const auto& offsets = stream.is_decisions ? to.decisions : to.events;
    if (stream.partition < offsets.size()) stream.end = std::max(stream.end, offsets[stream.partition]);
  }
}

/// What cannot be read, and what is none of a served ad, goes by as early as it may: the store's rows, of which only
/// the others are asked for, then have the same order.
void MergedLogs::read_head(Stream& stream) {
  const auto bytes = stream.records.records[stream.at];
  stream.record = {};
  stream.time_ms = 0;
  if (stream.is_decisions) {
    auto choices = serving::read_record(bytes);
    if (!choices || choices->empty()) return;
    stream.time_ms = choices->front().time_ms;
    stream.record = std::move(*choices);
  } else if (const auto event = event::decode(bytes); event && event->external_id.starts_with(kServedPrefix)) {
    // What was served is at the time of its decision, whatever the clock said (a server may give both).
    stream.time_ms = event->event_time_ms;
    stream.record = *event;
  }
}

/// What came since advance() waits for the next one: of a newer impression the decision may not have been looked for.
/// It is kept, as a log that is somewhere else reads on from where it was.
Result<bool> MergedLogs::look(Stream& stream) {
  const auto is_due = [&] { return stream.records.first + stream.at < stream.end; };
  if (stream.at < stream.records.records.size()) return is_due();
  // What the log let go of before it was read is passed over.
  const auto kept_from = stream.log->begin(stream.partition);
  has_lost_ = has_lost_ || (stream.next < kept_from && stream.next < stream.end);
  stream.next = std::max(stream.next, kept_from);
  while (stream.next < stream.end) {
    auto records = log::await_records(*stream.log, stream.partition, stream.next, kMergedRecords, kMergedBytes);
    if (!records) return records.error();
    stream.next = records->first + records->records.size();
    stream.records = std::move(*records);
    stream.at = 0;
    if (stream.records.records.empty()) continue;
    read_head(stream);
    return is_due();
  }
  return false;
}

Result<std::optional<MergedLogs::Record>> MergedLogs::next() {
  Stream* earliest = nullptr;
  for (auto& stream : streams_) {
    const auto has_one = look(stream);
    if (!has_one) return has_one.error();
    if (*has_one && (earliest == nullptr || stream.time_ms < earliest->time_ms)) earliest = &stream;
  }
  if (earliest == nullptr) return std::optional<Record>();
  auto record = std::move(earliest->record);
  if (++earliest->at < earliest->records.records.size()) read_head(*earliest);
  return std::optional(std::move(record));
}

}  // namespace marquee::serving
