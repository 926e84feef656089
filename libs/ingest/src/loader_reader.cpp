#include "loader_reader.h"

#include <algorithm>

#include "loader_takeover.h"

namespace marquee::ingest {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kIdlePoll{100};    ///< How soon an idle reader sees that the loader stops.
constexpr milliseconds kShortestPoll{2};  ///< How soon a batch that has waited long enough sees that the store is free.
constexpr milliseconds kLongestPoll{8};   ///< How soon a young batch sees that it may join another partition's.
constexpr std::size_t kReadRecords = 16'384;
constexpr std::size_t kLoadBytes = 4 * 1024 * 1024;

}  // namespace

PartitionReader::PartitionReader(LoaderContext& context, Exchange& exchange, log::Partition partition,
                                 std::function<void(log::Offset)> on_standing)
    : context_(context),
      exchange_(exchange),
      partition_(partition),
      on_standing_(std::move(on_standing)),
      window_(context.options.identity_window),
      thread_([this] { run(); }) {}

PartitionReader::~PartitionReader() { thread_.join(); }

void PartitionReader::run() {
  Takeover takeover(context_, partition_, window_, [this] { return exchange_.is_open(partition_); });
  while (exchange_.is_open(partition_)) {
    auto next = takeover.run(on_standing_);
    for (unsigned failures = 1; !next; ++failures) {
      context_.note_failure(partition_, "start", next.error(), failures);
      if (!exchange_.pause(partition_, backoff(failures))) return;
      next = takeover.run(on_standing_);
    }
    context_.clear_failure(partition_);
    on_standing_(*next);
    if (!build_batches(*next, takeover.look())) return;
  }
}

bool PartitionReader::build_batches(log::Offset next, std::uint64_t look) {
  while (auto batch = exchange_.take_free(partition_)) {
    batch->reset(next);
    batch->set_look(look);
    const bool is_filled = fill(*batch, look);
    if (context_.name().look != look) {
      exchange_.recall(std::move(batch));
      return true;
    }
    if (!is_filled) return false;
    batch->seal(context_.token());
    next = batch->range().end;
    if (!exchange_.offer(std::move(batch))) return false;
  }
  return false;
}

bool PartitionReader::is_full(const LoadBatch& batch) const {
  return batch.range().size() >= context_.options.max_batch_rows || batch.bytes() >= context_.options.max_batch_bytes;
}

bool PartitionReader::fill(LoadBatch& batch, std::uint64_t look) {
  const auto& options = context_.options;
  auto began = Exchange::Clock::now();
  unsigned failures = 0;
  while (exchange_.is_open(partition_) && context_.name().look == look) {
    if (is_full(batch) || (!batch.range().empty() && exchange_.wants(partition_, began))) return true;
    const std::size_t room = std::min(options.max_batch_rows - batch.range().size(), kReadRecords);
    const std::size_t bytes = std::min(options.max_batch_bytes - batch.bytes(), kLoadBytes);
    const auto records = context_.log.read(partition_, batch.range().end, room, bytes);
    if (!records) {
      context_.note_failure(partition_, "read", records.error(), ++failures);
      if (!exchange_.pause(partition_, backoff(failures))) return false;
      continue;
    }
    failures = 0;
    // Where there is nothing but a gap, it is passed all the same, so that it does not look as if something waited.
    if (!records->records.empty() || records->first > batch.range().end) {
      if (batch.range().empty()) began = Exchange::Clock::now();
      for (const std::uint64_t identity : exchange_.take_forgotten(partition_)) window_.forget(identity);
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
