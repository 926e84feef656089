#include "loader_reader.h"

#include <algorithm>

namespace marquee::ingest {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kIdlePoll{100};    ///< How soon an idle reader sees that the loader stops.
constexpr milliseconds kShortestPoll{2};  ///< How soon a batch that has waited long enough sees that the store is free.
constexpr milliseconds kLongestPoll{8};   ///< How soon a young batch sees that it may join another partition's.
constexpr std::size_t kReadRecords = 16'384;
constexpr std::size_t kReadBytes = 4 * 1024 * 1024;

}  // namespace

PartitionReader::PartitionReader(LoaderContext& context, Exchange& exchange, log::Partition partition,
                                 std::size_t index)
    : context_(context),
      exchange_(exchange),
      partition_(partition),
      index_(index),
      window_(context.options.identity_window) {}

PartitionReader::~PartitionReader() {
  if (thread_.joinable()) thread_.join();
}

void PartitionReader::start(log::Offset next) {
  thread_ = std::thread([this, next] { run(next); });
}

void PartitionReader::run(log::Offset next) {
  while (auto batch = exchange_.take_free(index_)) {
    batch->reset(next);
    if (!fill(*batch)) return;
    batch->seal();
    next = batch->range().end;
    if (!exchange_.offer(index_, std::move(batch))) return;
  }
}

bool PartitionReader::is_full(const LoadBatch& batch) const {
  return batch.range().size() >= context_.options.max_batch_rows || batch.bytes() >= context_.options.max_batch_bytes;
}

bool PartitionReader::fill(LoadBatch& batch) {
  const auto& options = context_.options;
  auto began = Exchange::Clock::now();
  unsigned failures = 0;
  while (!exchange_.is_stopping()) {
    if (is_full(batch) || (!batch.range().empty() && exchange_.wants(index_, began))) return true;
    const std::size_t room = std::min(options.max_batch_rows - batch.range().size(), kReadRecords);
    const std::size_t bytes = std::min(options.max_batch_bytes - batch.bytes(), kReadBytes);
    const auto records = context_.log.read(partition_, batch.range().end, room, bytes);
    if (!records) {
      context_.note_failure(partition_, "read", records.error(), ++failures);
      if (!exchange_.pause(backoff(failures))) return false;
      continue;
    }
    failures = 0;
    if (!records->records.empty()) {
      if (batch.range().empty()) began = Exchange::Clock::now();
      batch.append(*records, window_);
      continue;
    }
    if (batch.range().empty()) {
      (void)context_.log.wait_for(partition_, batch.range().end, kIdlePoll);
      continue;
    }
    // Woken by the clock, or by much more to read; not by each record.
    const auto wait = std::clamp(exchange_.until_wanted(began), kShortestPoll, kLongestPoll);
    (void)context_.log.wait_for(partition_, batch.range().end + room - 1, wait);
  }
  return false;
}

}  // namespace marquee::ingest
