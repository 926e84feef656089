#include "import_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>

#include "marquee/base/json_text.h"
#include "marquee/event/parser.h"

namespace marquee::ingest {
namespace {

using Steady = std::chrono::steady_clock;
constexpr std::size_t kMaxReasons = 50;
constexpr std::size_t kMaxExamples = 3;
// The collector refuses bodies beyond 4 MiB as sent; batches stay well below, whatever they compress to.
constexpr std::size_t kMaxBatchBytes = std::size_t{2} << 20;

/// Counts refusals by reason. Not thread safe.
class Refusals {
 public:
  void add(const std::string& reason, const std::string& example) {
    auto it = by_reason_.find(reason);
    if (it == by_reason_.end())
      it = by_reason_.emplace(by_reason_.size() < kMaxReasons ? reason : "other reasons", ImportRefusal{}).first;
    auto& refusal = it->second;
    refusal.reason = it->first;
    ++refusal.count;
    if (refusal.examples.size() < kMaxExamples) refusal.examples.push_back(example);
  }
  [[nodiscard]] std::vector<ImportRefusal> most_frequent_first() const {
    std::vector<ImportRefusal> result;
    for (const auto& [reason, refusal] : by_reason_) result.push_back(refusal);
    std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) {
      return a.count != b.count ? a.count > b.count : a.reason < b.reason;
    });
    return result;
  }

 private:
  std::map<std::string, ImportRefusal> by_reason_;
};

/// One file on its way: which batches are acknowledged, and so up to which row nothing is missing. Thread safe.
class FileTracker {
 public:
  FileTracker(std::string name, Checkpoint checkpoint, std::uint64_t rows_before, Refusals& refusals)
      : name_(std::move(name)), checkpoint_(std::move(checkpoint)), done_rows_(rows_before), refusals_(refusals) {}

  void sent(std::uint64_t id, std::uint64_t last_row, std::vector<std::uint64_t> lines) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace(id, Waiting{last_row, std::move(lines), false});
  }

  void acknowledged(const SendOutcome& outcome) {
    const std::lock_guard lock(mutex_);
    auto& batch = waiting_.at(outcome.id);
    for (const auto& rejection : outcome.rejected) {
      const auto line = rejection.index < batch.lines.size() ? batch.lines[rejection.index] : 0;
      refuse(rejection.field.empty() ? rejection.reason : rejection.field + ": " + rejection.reason, line);
    }
    accepted_ += outcome.accepted;
    batch.is_done = true;
    for (auto it = waiting_.begin(); it != waiting_.end() && it->second.is_done; it = waiting_.erase(it))
      done_rows_ = it->second.last_row;
    if (Steady::now() - saved_ < std::chrono::milliseconds(200)) return;
    saved_ = Steady::now();
    static_cast<void>(checkpoint_.save(done_rows_));  // The last save of the run reports; a lost one costs repeats.
  }

  void refused(const std::string& reason, std::uint64_t line) {
    const std::lock_guard lock(mutex_);
    refuse(reason, line);
  }

  /// `end_row`: the last row of the file, where all of it was read and sent.
  Result<void> close(std::optional<std::uint64_t> end_row) {
    const std::lock_guard lock(mutex_);
    if (end_row && waiting_.empty()) done_rows_ = std::max(done_rows_, *end_row);
    return checkpoint_.save(done_rows_);
  }

  [[nodiscard]] std::uint64_t done_rows() const {
    const std::lock_guard lock(mutex_);
    return done_rows_;
  }
  [[nodiscard]] std::uint64_t accepted() const {
    const std::lock_guard lock(mutex_);
    return accepted_;
  }
  [[nodiscard]] std::uint64_t rejected() const {
    const std::lock_guard lock(mutex_);
    return rejected_;
  }

 private:
  struct Waiting {
    std::uint64_t last_row = 0;
    std::vector<std::uint64_t> lines;  ///< Of the file, for each event.
    bool is_done = false;
  };
  void refuse(const std::string& reason, std::uint64_t line) {
    ++rejected_;
    refusals_.add(reason, fmt::format("{}:{}", name_, line));
  }

  mutable std::mutex mutex_;
  std::string name_;
  Checkpoint checkpoint_;
  std::map<std::uint64_t, Waiting> waiting_;
  std::uint64_t done_rows_;
  std::uint64_t accepted_ = 0;
  std::uint64_t rejected_ = 0;
  Refusals& refusals_;
  Steady::time_point saved_ = Steady::now();
};

/// Stands in for the server in a dry run: the same parser, nothing kept.
std::expected<http::Response, http::Failure> check_only(event::Parser& parser, const ImportOptions& options,
                                                        std::string_view body) {
  event::Context context;
  context.site_id = options.site_id;
  context.received_time_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  context.max_age_ms = 0;
  context.trusted = true;
  const auto parsed = parser.parse(body, context, [](const event::Event&) {});
  if (!parsed) return http::Response::json(400, fmt::format("{{\"error\":\"{}\"}}", "not JSON events"));
  std::string rejected;
  for (const auto& rejection : parsed->rejections) {
    rejected += rejected.empty() ? "" : ",";
    JsonObject(rejected)
        .number("index", rejection.index)
        .text("field", rejection.field)
        .text("reason", rejection.reason)
        .end();
  }
  return http::Response::json(200, fmt::format("{{\"accepted\":{},\"rejected\":[{}]}}", parsed->accepted, rejected));
}

class Run {
 public:
  Run(const std::vector<ImportJob>& jobs, const ImportOptions& options) : jobs_(jobs), options_(options) {}

  Result<ImportSummary> operator()() {
    std::uint64_t bytes = 0;
    std::vector<ImportedFile> files;
    for (const auto& job : jobs_) {
      auto file = describe_file(job.path, options_.site_id, options_.send.url);
      if (!file) return file.error();
      bytes += file->size;
      is_size_known_ = is_size_known_ && job.is_size_known;
      files.push_back(std::move(*file));
    }
    total_bytes_ = std::max<std::uint64_t>(bytes, 1);
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      if (auto done = import_one(jobs_[i], files[i]); !done) {
        auto error = done.error();
        error.message = fmt::format("{}: {} ({} events accepted so far; the same command goes on from there)",
                                    jobs_[i].name, error.message, summary_.accepted);
        return error;
      }
      bytes_before_ += files[i].size;
    }
    summary_.refusals = refusals_.most_frequent_first();
    summary_.seconds = seconds();
    report(nullptr, nullptr, true);
    return summary_;
  }

 private:
  [[nodiscard]] double seconds() const { return std::chrono::duration<double>(Steady::now() - begun_).count(); }

  Result<void> import_one(const ImportJob& job, const ImportedFile& file) {
    auto reader = job.open(file);
    if (!reader) return reader.error();
    const Checkpoint checkpoint(options_.dry_run ? "" : options_.checkpoint_dir, file);
    const auto rows_before = options_.restart ? 0 : checkpoint.load();
    FileTracker tracker(job.name, checkpoint, rows_before, refusals_);
    auto send = options_.send;
    event::Parser parser;
    if (options_.dry_run) {
      send.in_flight = 1;
      send.encoding.clear();
      send.post = [&](const http::Headers&, std::string_view body) { return check_only(parser, options_, body); };
    }
    BatchSender sender(std::move(send), [&tracker](const SendOutcome& outcome) { tracker.acknowledged(outcome); });
    auto end_row = pump(**reader, tracker, sender, rows_before);
    auto finished = end_row ? sender.finish() : Result<void>(end_row.error());
    if (!end_row) static_cast<void>(sender.finish());  // What is under way still counts.
    const bool is_whole = finished && !is_stopped();
    auto closed = tracker.close(is_whole ? std::optional(*end_row) : std::nullopt);
    summary_.accepted += tracker.accepted();
    summary_.rejected += tracker.rejected();
    summary_.requests_repeated += sender.repeats();
    ++summary_.files;
    rows_done_ += tracker.done_rows();
    if (!finished) return finished;
    if (is_stopped()) return Error::retry("stopped");
    return closed;
  }

  [[nodiscard]] bool is_stopped() const { return options_.stop != nullptr && options_.stop->load(); }

  // Reads rows into batches. Returns the number of the last row.
  Result<std::uint64_t> pump(ImportReader& reader, FileTracker& tracker, BatchSender& sender,
                             std::uint64_t rows_before) {
    SendBatch batch;
    std::vector<std::uint64_t> lines;
    ImportRecord record;
    std::uint64_t row = 0;
    const auto flush = [&]() -> Result<void> {
      if (batch.events == 0) return {};
      batch.id = ++batch_id_;
      tracker.sent(batch.id, row, std::move(lines));
      summary_.events += batch.events;
      lines.clear();
      auto submitted = sender.submit(std::exchange(batch, {}));
      report(&reader, &tracker, false);
      return submitted;
    };
    while (!is_stopped()) {
      const auto has_row = reader.next(record);
      if (!has_row) {
        static_cast<void>(flush());
        return has_row.error();
      }
      if (!*has_row) break;
      if (record.row <= rows_before) {
        row = record.row;
        ++summary_.rows_before;
        continue;
      }
      // A row's events stay in one batch, so that the checkpoint may stand behind the row.
      if (batch.events + record.events > options_.batch_events ||
          batch.ndjson.size() + record.ndjson.size() > kMaxBatchBytes)
        if (auto flushed = flush(); !flushed) return flushed.error();
      row = record.row;
      ++summary_.rows;
      if (!record.refusal.empty()) tracker.refused(record.refusal, record.line);
      batch.ndjson += record.ndjson;
      batch.events += record.events;
      lines.insert(lines.end(), record.events, record.line);
    }
    if (auto flushed = flush(); !flushed) return flushed.error();
    return row;
  }

  void report(const ImportReader* reader, const FileTracker* tracker, bool is_end) {
    if (!options_.on_progress) return;
    if (!is_end && Steady::now() - reported_ < std::chrono::milliseconds(100)) return;
    reported_ = Steady::now();
    ImportProgress progress;
    progress.rows = rows_done_ + (tracker != nullptr ? tracker->done_rows() : 0);
    progress.rows_sent = progress.rows - std::min(progress.rows, summary_.rows_before);
    const auto bytes = static_cast<double>(bytes_before_ + (reader != nullptr ? reader->consumed() : 0));
    progress.fraction = is_end ? 1.0 : is_size_known_ ? bytes / static_cast<double>(total_bytes_) : -1.0;
    progress.seconds = seconds();
    options_.on_progress(progress);
  }

  const std::vector<ImportJob>& jobs_;
  const ImportOptions& options_;
  ImportSummary summary_;
  Refusals refusals_;
  Steady::time_point begun_ = Steady::now();
  Steady::time_point reported_;
  std::uint64_t total_bytes_ = 1;
  std::uint64_t bytes_before_ = 0;
  std::uint64_t rows_done_ = 0;
  std::uint64_t batch_id_ = 0;
  bool is_size_known_ = true;
};

}  // namespace

Result<ImportSummary> run_import(const std::vector<ImportJob>& jobs, const ImportOptions& options) {
  return Run(jobs, options)();
}

}  // namespace marquee::ingest
