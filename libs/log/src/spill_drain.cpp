#include "spill_drain.h"

#include <algorithm>
#include <bit>

#include "marquee/base/logging.h"

namespace marquee::log {
namespace {

constexpr std::size_t kChunkRecords = 20'000;
constexpr std::size_t kRecordOverhead = 64;  // What a log counts for a record besides its bytes, about.
constexpr auto kFirstPause = std::chrono::milliseconds(50);
constexpr unsigned kMostDoublings = 4;  // To 0.8 s.
constexpr unsigned kFirstNotable = 8;   // So many failures in a row are said; then twice as many, and so on.

}  // namespace

SpillDrain::SpillDrain(SpillLane& lane, Partition number, EventLog& far, EventLog& near, std::size_t chunk_bytes,
                       std::function<void()> wake)
    : lane_(lane), number_(number), far_(far), near_(near), chunk_bytes_(chunk_bytes), wake_(std::move(wake)) {}

Result<bool> SpillDrain::start() {
  const auto progress = near_.progress(number_);
  if (!progress) return progress.error();
  next_ = std::max(progress->next, near_.begin(number_));
  const auto waiting = near_.end(number_) - std::min(next_, near_.end(number_));
  lane_.start(waiting, chunk_bytes_);
  if (waiting == 0) return false;
  const auto first = near_.read(number_, next_, 1, 1);
  if (!first) return first.error();
  const auto spilled = decode_spill_record(first->records.at(0));
  if (!spilled) return spilled.error();
  oldest_ms_ = spilled->time_ms;
  // Layouts only grow and the lane is in order: if the first is of this layout, all are.
  return spilled->partitions != far_.partitions();
}

SpillDrain::Settled SpillDrain::step(Time now, Offset barrier) {
  const Settled settled = settle(now);
  const bool is_blocked = lane_.given(blocked_by_) == SpillLane::Given::pending;
  if (!chunk_ && !is_blocked && now >= retry_at_ && next_ < barrier && next_ < near_.end(number_))
    carry_on(now, barrier);
  return settled;
}

SpillDrain::Settled SpillDrain::settle(Time now) {
  if (!chunk_ || now < retry_at_) return {};
  if (!chunk_->is_acknowledged) {
    std::optional<Result<void>> result;
    {
      const std::lock_guard lock(chunk_->answer->mutex);
      result = chunk_->answer->result;
    }
    if (!result) return {};
    if (!*result) {
      fail(result->error(), now);
      chunk_.reset();
      return {};
    }
    chunk_->is_acknowledged = true;
  }
  if (auto confirmed = near_.confirm(number_, chunk_->end); !confirmed) {
    fail(confirmed.error(), now);
    return {};
  }
  const Settled settled{.drained = chunk_->records, .kept = chunk_->kept};
  for (const auto& [ticket, records] : chunk_->tickets) lane_.forget(ticket, records);
  next_ = chunk_->end;
  chunk_.reset();
  failures_ = 0;
  is_flowing_ = true;
  lane_.drained(settled.drained);
  if (lane_.waiting() == 0) {
    is_flowing_ = false;
    oldest_ms_ = 0;
  }
  return settled;
}

void SpillDrain::carry_on(Time now, Offset barrier) {
  auto chunk = read_chunk(barrier);
  if (!chunk) return fail(chunk.error(), now);
  if (chunk->records == 0) return;
  chunk_ = std::move(*chunk);
  // What comes while the last of it is on its way waits for that in memory: else the lane would never be empty under
  // load.
  if (is_flowing_ && chunk_->end < barrier && chunk_->end == near_.end(number_)) lane_.hold();
  auto told = [answer = chunk_->answer, wake = wake_](Result<void> result) {
    {
      const std::lock_guard lock(answer->mutex);
      answer->result = std::move(result);
    }
    wake();
  };
  if (chunk_->batches.empty()) return told({});
  far_.append(std::move(chunk_->batches), std::move(told));
}

Result<SpillDrain::Chunk> SpillDrain::read_chunk(Offset barrier) {
  const auto most = static_cast<std::size_t>(std::min<Offset>(kChunkRecords, barrier - next_));
  const auto records = near_.read(number_, next_, most, chunk_bytes_);
  if (!records) return records.error();
  Chunk chunk;
  chunk.end = next_;
  std::size_t bytes = 0;
  for (const std::string_view bytes_of_one : records->records) {
    const auto spilled = decode_spill_record(bytes_of_one);
    if (!spilled) return spilled.error();
    if (chunk.records == 0) oldest_ms_ = spilled->time_ms;
    bytes += spilled->record.size() + kRecordOverhead;
    if (bytes > chunk_bytes_ && chunk.records > 0) break;
    const auto given = lane_.given(spilled->ticket);
    if (given == SpillLane::Given::pending) {
      blocked_by_ = spilled->ticket;
      break;
    }
    ++chunk.records;
    ++chunk.end;
    if (spilled->ticket != 0) {
      if (chunk.tickets.empty() || chunk.tickets.back().first != spilled->ticket)
        chunk.tickets.emplace_back(spilled->ticket, 0);
      ++chunk.tickets.back().second;
    }
    if (given == SpillLane::Given::kept)
      ++chunk.kept;
    else
      add(chunk, *spilled);
  }
  return chunk;
}

void SpillDrain::add(Chunk& chunk, const SpillRecord& spilled) {
  const Partition partitions = far_.partitions();
  const Partition partition =
      spilled.partition < partitions ? spilled.partition : static_cast<Partition>(spilled.key % partitions);
  auto batch = std::ranges::find(chunk.batches, partition, &Batch::partition);
  if (batch == chunk.batches.end()) batch = chunk.batches.emplace(chunk.batches.end(), partition);
  batch->add(spilled.record, spilled.key);
}

void SpillDrain::fail(const Error& error, Time now) {
  retry_at_ = now + kFirstPause * (1U << std::min(failures_, kMostDoublings));
  ++failures_;
  is_flowing_ = false;
  lane_.stop_holding();
  if ((failures_ >= kFirstNotable && std::has_single_bit(failures_)) || error.action != Action::retry)
    logging::warn("spill.cannot_drain", {{"lane", number_}, {"failures", failures_}, {"reason", error.message}});
}

}  // namespace marquee::log
