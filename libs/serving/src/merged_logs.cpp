#include "merged_logs.h"

#include <algorithm>
#include <utility>

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

void MergedLogs::advance() {
  for (const bool is_decisions : {false, true})
    for (auto& stream : streams_)
      if (stream.is_decisions == is_decisions) stream.end = std::max(stream.end, stream.log->end(stream.partition));
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

Result<bool> MergedLogs::look(Stream& stream) {
  if (stream.at < stream.records.records.size()) return true;
  // What the log let go of before it was read is passed over.
  stream.next = std::max(stream.next, stream.log->begin(stream.partition));
  while (stream.next < stream.end) {
    auto records = stream.log->read(stream.partition, stream.next, kRecords, kBytes);
    if (!records) return records.error();
    if (records->first + records->records.size() <= stream.next) return false;
    // What came since advance() waits for the next one: of a newer impression the decision may not have been looked
    // for.
    if (records->first >= stream.end) {
      stream.next = stream.end;
      return false;
    }
    records->records.resize(std::min<std::size_t>(records->records.size(), stream.end - records->first));
    stream.next = records->first + records->records.size();
    stream.records = std::move(*records);
    stream.at = 0;
    if (stream.records.records.empty()) continue;
    read_head(stream);
    return true;
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
