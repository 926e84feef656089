#include "marquee/simulate/simulated_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <numeric>
#include <optional>
#include <vector>

#include "marquee/event/parser.h"
#include "marquee/simulate/stream.h"
#include "progress_file.h"
#include "spans.h"

namespace marquee::simulate {
namespace {

constexpr std::uint64_t kBlockLines =
    4'096;  ///< Made together, at fixed offsets: a record must not depend on where reading began.

/// The encoded records of a block, and where each ends.
struct Block {
  log::Offset begin = 0;
  std::string bytes;
  std::vector<std::size_t> ends;
  [[nodiscard]] log::Offset end() const { return begin + ends.size(); }
  [[nodiscard]] std::string_view record(std::size_t index) const {
    const std::size_t from = index == 0 ? 0 : ends[index - 1];
    return std::string_view(bytes).substr(from, ends[index] - from);
  }
};

/// One partition's records, in order.
class Stretch {
 public:
  Stretch(StreamOptions stream, std::uint64_t events, std::string_view site_id)
      : stream_options_(stream), events_(events) {
    // As the collector has it for a key of an importer; keys of users must be the same in all partitions.
    context_.site_id = site_id;
    context_.max_age_ms = 0;
    context_.trusted = true;
  }

  [[nodiscard]] std::uint64_t events() const { return events_; }

  [[nodiscard]] Result<log::Records> read(log::Offset from, std::size_t most) {
    log::Records result;
    result.first = from;
    if (from >= events_) return result;
    const std::lock_guard lock(mutex_);
    if (!block_ || from < block_->begin || from >= block_->end()) {
      if (auto made = make_block(from / kBlockLines * kBlockLines); !made) return made.error();
    }
    const std::size_t first = from - block_->begin;
    const std::size_t count = std::min(most, block_->ends.size() - first);
    result.records.reserve(count);
    for (std::size_t i = first; i < first + count; ++i) result.records.push_back(block_->record(i));
    result.holder = block_;
    return result;
  }

 private:
  [[nodiscard]] Result<void> make_block(log::Offset begin) {
    if (!stream_ || begin < next_) {
      auto opened = Stream::open(stream_options_);
      if (!opened) return opened.error();
      stream_.emplace(std::move(*opened));
      next_ = 0;
    }
    for (; next_ < begin; ++next_) {
      ndjson_.clear();
      stream_->next(ndjson_);
    }
    ndjson_.clear();
    const log::Offset end = std::min(begin + kBlockLines, events_);
    for (; next_ < end; ++next_) context_.received_time_ms = stream_->next(ndjson_).time_ms;
    auto block = std::make_shared<Block>();
    block->begin = begin;
    block->ends.reserve(end - begin);
    const auto outcome = parser_.parse(ndjson_, context_, [&](const event::Event& event) {
      event::encode(event, block->bytes);
      block->ends.push_back(block->bytes.size());
    });
    if (!outcome) return outcome.error();
    if (block->end() != end)
      return Error::give_up(fmt::format("a simulated event was refused: {}", outcome->rejections.front().reason));
    block_ = std::move(block);
    return {};
  }

  const StreamOptions stream_options_;
  const std::uint64_t events_;
  event::Context context_;
  std::mutex mutex_;
  std::optional<Stream> stream_;  ///< Guarded by mutex_, as is all that follows.
  log::Offset next_ = 0;          ///< The stream's next line.
  event::Parser parser_;
  std::string ndjson_;
  std::shared_ptr<const Block> block_;
};

class SimulatedLog final : public log::EventLog {
 public:
  SimulatedLog(const SimulatedLogOptions& options, std::vector<ProgressFile> progress)
      : site_id_(options.site_id), progress_(std::move(progress)) {
    const std::uint64_t each = options.events / options.partitions;
    for (std::uint32_t p = 0; p < options.partitions; ++p) {
      StreamOptions stream;
      stream.seed = p + 1;
      stream.campus_seed = 1;
      stream.start_ms = options.start_ms + options.days * kDayMs * p / options.partitions;
      stream.students = options.students;
      stream.events_per_second =
          static_cast<double>(options.events) * 1'000 / static_cast<double>(options.days * kDayMs);
      const bool is_last = p + 1 == options.partitions;
      stretches_.push_back(std::make_unique<Stretch>(stream, is_last ? options.events - each * p : each, site_id_));
    }
  }

  [[nodiscard]] log::Partition partitions() const override { return static_cast<log::Partition>(stretches_.size()); }
  void append(std::vector<log::Batch>, log::Appended done) override {
    done(Error::reject("a simulated log takes no events"));
  }

  void follow(log::Follower& follower) override {
    follower_ = &follower;
    follower.take(all());
  }
  void unfollow() override {
    if (log::Follower* follower = follower_.exchange(nullptr)) follower->release(all(), /*is_lost=*/false);
  }

  [[nodiscard]] Result<log::Records> read(log::Partition partition, log::Offset from, std::size_t max_records,
                                          std::size_t) override {
    return stretches_[partition]->read(from, max_records);
  }
  [[nodiscard]] bool wait_for(log::Partition partition, log::Offset offset, Millis timeout) override {
    if (offset < end(partition)) return true;
    std::unique_lock lock(mutex_);  // Nothing will ever come.
    closed_.wait_for(lock, timeout, [this] { return is_closed_; });
    return false;
  }

  [[nodiscard]] log::Offset begin(log::Partition) const override { return 0; }
  [[nodiscard]] log::Offset end(log::Partition partition) const override { return stretches_[partition]->events(); }
  [[nodiscard]] Result<log::Offset> offset_at(log::Partition, WallTime) override {
    return Error::reject("a simulated log does not know when its records were appended");
  }

  [[nodiscard]] Result<log::Progress> progress(log::Partition partition) override {
    const std::lock_guard lock(mutex_);
    return progress_[partition].get();
  }
  [[nodiscard]] Result<void> plan(const std::vector<log::Plan>& plans, std::uint64_t planner) override {
    const std::lock_guard lock(mutex_);
    for (const auto& [partition, range] : plans) {
      if (auto kept = progress_[partition].set({range.begin, range, planner}); !kept) return kept;
    }
    return {};
  }
  [[nodiscard]] Result<void> confirm(log::Partition partition, log::Offset next) override {
    const std::lock_guard lock(mutex_);
    return progress_[partition].set({next, std::nullopt, 0});
  }

  [[nodiscard]] Result<std::vector<log::Standing>> standings() override {
    const std::lock_guard lock(mutex_);
    std::vector<log::Standing> standings;
    for (log::Partition p = 0; p < partitions(); ++p)
      standings.push_back({{0, end(p)}, progress_[p].get().next, std::nullopt, follower_ != nullptr});
    return standings;
  }

  void close() override {
    const std::lock_guard lock(mutex_);
    is_closed_ = true;
    closed_.notify_all();
  }

 private:
  [[nodiscard]] std::vector<log::Partition> all() const {
    std::vector<log::Partition> all(stretches_.size());
    std::iota(all.begin(), all.end(), log::Partition{0});
    return all;
  }

  const std::string site_id_;
  std::vector<std::unique_ptr<Stretch>> stretches_;
  std::atomic<log::Follower*> follower_ = nullptr;
  std::mutex mutex_;
  std::condition_variable closed_;
  std::vector<ProgressFile> progress_;  ///< Guarded by mutex_, as is the next.
  bool is_closed_ = false;
};

}  // namespace

Result<std::unique_ptr<log::EventLog>> open_simulated_log(const SimulatedLogOptions& options) {
  if (options.partitions < 1 || options.partitions > 64 || options.events < options.partitions || options.days < 1)
    return Error::reject("a simulated log needs 1 to 64 partitions, an event for each, and a day");
  std::error_code code;
  std::filesystem::create_directories(options.directory, code);
  std::vector<ProgressFile> progress;
  for (std::uint32_t p = 0; p < options.partitions; ++p) {
    auto file = ProgressFile::open(fmt::format("{}/partition-{}", options.directory, p));
    if (!file) return file.error();
    progress.push_back(std::move(*file));
  }
  auto log = std::make_unique<SimulatedLog>(options, std::move(progress));
  for (log::Partition p = 0; p < log->partitions();
       ++p) {  // Says what is wrong with an option before anything waits for it.
    if (auto first = log->read(p, 0, 1, 1); !first) return first.error();
  }
  return log;
}

}  // namespace marquee::simulate
