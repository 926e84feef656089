#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <thread>

#include "marquee/base/time.h"
#include "marquee/http/client.h"
#include "progress.h"

namespace marquee::simulate {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr double kRequestsPerSecond = 20;
constexpr double kMostBehindSeconds = 1;

// The answers, as the sender's threads bring them.
class Answers {
 public:
  void add(const ingest::SendOutcome& outcome) {
    const std::lock_guard lock(mutex_);
    accepted_ += outcome.accepted;
    rejected_ += outcome.rejected.size();
    for (const auto& rejection : outcome.rejected) ++fields_[rejection.field];
  }
  void copy_to(Summary& summary) const {
    const std::lock_guard lock(mutex_);
    summary.accepted = accepted_;
    summary.rejected = rejected_;
    summary.rejected_fields = fields_;
  }

 private:
  mutable std::mutex mutex_;
  std::uint64_t accepted_ = 0, rejected_ = 0;
  std::map<std::string, std::uint64_t> fields_;
};

// Says when the next batch is due. A server that was slow or away is not run over afterwards: the schedule moves on.
class Pace {
 public:
  Pace(double rate, std::uint32_t most) : rate_(rate) {
    batch_ = rate > 0 ? static_cast<std::uint32_t>(
                            std::clamp(std::floor(rate / kRequestsPerSecond), 1.0, static_cast<double>(most)))
                      : most;
  }
  [[nodiscard]] std::uint32_t batch() const { return batch_; }

  /// Waits until a batch is due; false if stopped before.
  bool wait(const Progress& progress) {
    if (rate_ <= 0) return !progress.is_stopped();
    due_ += Seconds(batch_ / rate_);
    due_ = std::max(due_, progress.elapsed() - Seconds(kMostBehindSeconds));
    for (;;) {
      if (progress.is_stopped()) return false;
      const auto left = due_ - progress.elapsed();
      if (left <= Seconds(0)) return true;
      std::this_thread::sleep_for(std::min(left, Seconds(0.1)));
    }
  }

 private:
  double rate_;
  std::uint32_t batch_ = 1;
  Seconds due_{0};
};

// Once the run is stopped, a server that does not answer is not waited for: an answer that no one repeats ends the
// sender.
ingest::PostEvents post_until_stopped(const ingest::SendOptions& options, const std::atomic<bool>* stop) {
  http::ClientOptions client_options;
  client_options.pool_size = options.in_flight;
  auto post = options.post;
  if (!post) {
    const auto client = std::make_shared<http::Client>(options.url, client_options);
    post = [client](const http::Headers& headers, std::string_view body) {
      return client->send("POST", "/v1/events", headers, body);
    };
  }
  return [post, stop](const http::Headers& headers, std::string_view body) {
    auto answer = post(headers, body);
    const bool is_busy = !answer || answer->status == 429 || answer->status >= 500;
    if (!is_busy || stop == nullptr || !stop->load()) return answer;
    http::Response response;
    response.status = 499;
    response.body = "stopped before the server took every event";
    return std::expected<http::Response, http::Failure>(std::move(response));
  };
}

}  // namespace

Summary send(Stream& stream, const SendTarget& target, const RunOptions& options) {
  Summary summary;
  Progress progress(options, summary);
  Pace pace(target.rate, target.batch_events);
  Answers answers;
  auto send_options = target.send;
  send_options.post = post_until_stopped(target.send, options.stop);
  ingest::BatchSender sender(std::move(send_options),
                             [&answers](const ingest::SendOutcome& outcome) { answers.add(outcome); });
  const SystemClock clock;
  auto last_ms = clock.now().time_since_epoch().count();
  Result<void> submitted;
  while (submitted && !progress.has_enough() && pace.wait(progress)) {
    if (options.duration_ms > 0 && progress.elapsed() >= Millis(options.duration_ms)) break;
    ingest::SendBatch batch;
    batch.events = static_cast<std::uint32_t>(std::min<std::uint64_t>(pace.batch(), progress.events_left()));
    batch.ndjson.reserve(batch.events * std::size_t{480});
    // The batch's events happened one after the other since the batch before.
    const auto now_ms = clock.now().time_since_epoch().count();
    const auto since_ms = std::clamp<std::int64_t>(now_ms - last_ms, 0, 1'000);
    for (std::uint32_t i = 1; i <= batch.events; ++i)
      progress.count(stream.next(batch.ndjson, now_ms - since_ms + since_ms * i / batch.events).kind);
    last_ms = now_ms;
    summary.bytes += batch.ndjson.size();
    submitted = sender.submit(std::move(batch));
    if (options.on_progress) answers.copy_to(summary);
    progress.report();
  }
  if (const auto finished = sender.finish(); !finished && !progress.is_stopped()) summary.failure = finished.error();
  answers.copy_to(summary);
  summary.resent_requests = sender.repeats();
  summary.seconds = progress.elapsed().count();
  return summary;
}

}  // namespace marquee::simulate
