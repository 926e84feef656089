#include "merged_logs.h"

#include <algorithm>
#include <utility>

#include "marquee/log/await_records.h"
#include "marquee/log/current_end.h"

namespace marquee::serving {
namespace {

constexpr std::size_t kRecords = 5'000, kBytes = std::size_t{2} << 20;

}  // namespace

Result<void> MergedLogs::begin(WallTime events_from, WallTime decisions_from) {
  streams_.clear();
  // In this order: at equal times the first stream's record is given.
  if (auto added = add_streams(decisions_, decisions_from, true); !added) return added;
  return add_streams(events_, events_from, false);
}

Result<void> MergedLogs::add_streams(log::EventLog& log, WallTime from, bool is_decisions) {
  for (log::Partition partition = 0; partition < log.partitions(); ++partition) {
    const auto offset = log.offset_at(partition, from);
    if (!offset) return offset.error();
    streams_.push_back(
        {.log = &log, .partition = partition, .is_decisions = is_decisions, .next = *offset, .end = *offset});
  }
  return {};
}

Result<void> MergedLogs::advance() {
  std::vector<log::Offset> ends(streams_.size());
  bool has_events = false;
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    if (streams_[i].is_decisions) continue;
    ends[i] = streams_[i].log->end(streams_[i].partition);
    has_events = has_events || ends[i] > streams_[i].end;
  }
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    auto& stream = streams_[i];
    if (!stream.is_decisions) continue;
    // As of now, where events have come: the decision of each is there by now.
    const Result<log::Offset> end =
        has_events ? log::current_end(*stream.log, stream.partition) : stream.log->end(stream.partition);
    if (!end) return end.error();
    ends[i] = *end;
  }
  for (std::size_t i = 0; i < streams_.size(); ++i) streams_[i].end = std::max(streams_[i].end, ends[i]);
  return {};
}

/// What cannot be read goes by as early as it may.
void MergedLogs::read_head(Stream& stream) {
  const auto bytes = stream.records.records[stream.at];
  stream.record = {};
  stream.time_ms = 0;
  if (stream.is_decisions) {
    auto choices = serving::read_record(bytes);
    if (!choices || choices->empty()) return;
    stream.time_ms = choices->front().time_ms;
    stream.record = std::move(*choices);
  } else if (const auto event = event::decode(bytes)) {
    // What was served is at the time of its decision, whatever the clock said (a server may give both).
    stream.time_ms = event->decision_id.empty() ? event->received_time_ms : event->event_time_ms;
    stream.record = *event;
  }
}

/// What came since advance() waits for the next one: of a newer impression the decision may not have been looked for.
/// It is kept, as a log that is somewhere else reads on from where it was.
Result<bool> MergedLogs::look(Stream& stream) {
  const auto is_due = [&] { return stream.records.first + stream.at < stream.end; };
  if (stream.at < stream.records.records.size()) return is_due();
  // What the log let go of before it was read is passed over.
  stream.next = std::max(stream.next, stream.log->begin(stream.partition));
  while (stream.next < stream.end) {
    auto records = log::await_records(*stream.log, stream.partition, stream.next, kRecords, kBytes);
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
