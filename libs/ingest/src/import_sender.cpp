#include "marquee/ingest/import_sender.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

namespace marquee::ingest {
namespace {

using Steady = std::chrono::steady_clock;

// The answer of POST /v1/events: {"accepted": n, "rejected": [{"index", "field", "reason"}]}.
Result<SendOutcome> read_answer(simdjson::dom::parser& parser, const std::string& body) {
  simdjson::dom::element root;
  std::uint64_t accepted = 0;
  if (parser.parse(body).get(root) != simdjson::SUCCESS || root["accepted"].get(accepted) != simdjson::SUCCESS)
    return Error::give_up("the server answered in a form that is not known; is it a Marquee?");
  SendOutcome outcome;
  outcome.accepted = static_cast<std::uint32_t>(accepted);
  simdjson::dom::array rejected;
  if (root["rejected"].get(rejected) != simdjson::SUCCESS) return outcome;
  for (const auto entry : rejected) {
    SendRejection rejection;
    std::uint64_t index = 0;
    std::string_view text;
    if (entry["index"].get(index) == simdjson::SUCCESS) rejection.index = static_cast<std::uint32_t>(index);
    if (entry["field"].get(text) == simdjson::SUCCESS) rejection.field = text;
    if (entry["reason"].get(text) == simdjson::SUCCESS) rejection.reason = text;
    outcome.rejected.push_back(std::move(rejection));
  }
  return outcome;
}

std::string reason_of(const http::Response& response) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(response.body).get(root) == simdjson::SUCCESS) {
    for (const auto* name : {"message", "error", "detail", "title"}) {
      std::string_view text;
      if (root[name].get(text) == simdjson::SUCCESS) return std::string(text);
    }
  }
  return response.body.substr(0, 200);
}

std::optional<std::uint64_t> retry_after_ms(const http::Response& response) {
  const auto text = response.headers.get("Retry-After");
  std::uint64_t seconds = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (code != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return std::min<std::uint64_t>(seconds, 60) * 1000;
}

struct Piece {
  std::string_view ndjson;
  std::uint32_t first = 0;
  std::uint32_t events = 0;
};

std::pair<Piece, Piece> halves(const Piece& piece) {
  const auto count = piece.events / 2;
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < count; ++i) at = piece.ndjson.find('\n', at) + 1;
  return {{piece.ndjson.substr(0, at), piece.first, count},
          {piece.ndjson.substr(at), piece.first + count, piece.events - count}};
}

}  // namespace

class BatchSender::Impl {
 public:
  Impl(SendOptions options, std::function<void(const SendOutcome&)> on_outcome)
      : options_(std::move(options)), on_outcome_(std::move(on_outcome)) {
    if (!options_.post) {
      http::ClientOptions client_options;
      client_options.pool_size = options_.in_flight;
      client_ = std::make_unique<http::Client>(options_.url, client_options);
      options_.post = [this](const http::Headers& headers, std::string_view body) {
        return client_->send("POST", "/v1/events", headers, body);
      };
    }
    headers_.add("Authorization", "Bearer " + options_.write_key);
    headers_.add("Content-Type", "application/x-ndjson");
    if (!options_.encoding.empty()) headers_.add("Content-Encoding", options_.encoding);
    for (unsigned i = 0; i < std::max(1U, options_.in_flight); ++i) threads_.emplace_back([this] { run(); });
  }

  ~Impl() {
    stop();
    for (auto& thread : threads_) thread.join();
  }

  Result<void> submit(SendBatch batch) {
    if (batch.events == 0) return {};
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_over() || queue_.size() < std::max(1U, options_.in_flight); });
    if (is_over()) return cause();
    queue_.push_back(std::move(batch));
    changed_.notify_all();
    return {};
  }

  Result<void> finish() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return (queue_.empty() || is_over()) && busy_ == 0; });
    if (failure_) return *failure_;
    if (!queue_.empty()) return cause();
    return {};
  }

  void stop() {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
    changed_.notify_all();
  }

  [[nodiscard]] std::uint64_t repeats() const {
    const std::lock_guard lock(mutex_);
    return repeats_;
  }

 private:
  [[nodiscard]] bool is_over() const { return is_stopped_ || failure_.has_value(); }
  [[nodiscard]] Error cause() const {
    return failure_ ? *failure_ : Error::retry("stopped before every event was sent");
  }

  void run() {
    simdjson::dom::parser parser;
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return is_over() || !queue_.empty(); });
      if (is_over()) return;
      const auto batch = std::move(queue_.front());
      queue_.pop_front();
      ++busy_;
      changed_.notify_all();
      lock.unlock();
      SendOutcome outcome;
      outcome.id = batch.id;
      const auto sent = send({batch.ndjson, 0, batch.events}, parser, outcome);
      if (sent) {
        const std::lock_guard serial(outcome_mutex_);
        on_outcome_(outcome);
      }
      lock.lock();
      --busy_;
      if (!sent && !failure_) failure_ = sent.error();
      changed_.notify_all();
    }
  }

  Result<void> send(const Piece& piece, simdjson::dom::parser& parser, SendOutcome& outcome) {
    auto response = post_until_answered(piece);
    if (!response) return response.error();
    if (response->status / 100 == 2) {
      auto answer = read_answer(parser, response->body);
      if (!answer) return answer.error();
      outcome.accepted += answer->accepted;
      for (auto& rejection : answer->rejected) {
        rejection.index += piece.first;
        outcome.rejected.push_back(std::move(rejection));
      }
      return {};
    }
    if (response->status == 400 || response->status == 413 || response->status == 422) {
      if (piece.events <= 1) {
        outcome.rejected.push_back({piece.first, "", reason_of(*response)});
        return {};
      }
      const auto [left, right] = halves(piece);
      if (auto sent = send(left, parser, outcome); !sent) return sent;
      return send(right, parser, outcome);
    }
    if (response->status == 401 || response->status == 403)
      return Error::reject(
          fmt::format("the server refused the write key ({}): {}", response->status, reason_of(*response)));
    return Error::give_up(fmt::format("the server answered {}: {}", response->status, reason_of(*response)));
  }

  Result<http::Response> post_until_answered(const Piece& piece) {
    std::string encoded;
    if (!options_.encoding.empty()) {
      auto body = http::encode_body(piece.ndjson, options_.encoding);
      if (!body) return body.error();
      encoded = std::move(*body);
    }
    const auto body = options_.encoding.empty() ? piece.ndjson : std::string_view(encoded);
    const auto begun = Steady::now();
    std::uint64_t pause_ms = options_.first_pause_ms;
    for (;;) {
      auto answer = options_.post(headers_, body);
      const bool is_busy = answer && (answer->status == 429 || answer->status >= 500);
      if (answer && !is_busy) return std::move(*answer);
      const auto why = answer ? fmt::format("the server answered {}: {}", answer->status, reason_of(*answer))
                              : answer.error().message;
      const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - begun).count();
      if (options_.patience_ms > 0 && static_cast<std::uint64_t>(waited) >= options_.patience_ms)
        return Error::retry(fmt::format("gave up after {} s: {}", waited / 1000, why));
      const auto asked = answer ? retry_after_ms(*answer) : std::nullopt;
      if (!pause(asked.value_or(pause_ms))) return Error::retry("stopped before every event was sent");
      pause_ms = std::min<std::uint64_t>(pause_ms * 2, 5'000);
    }
  }

  bool pause(std::uint64_t ms) {
    std::unique_lock lock(mutex_);
    ++repeats_;
    return !changed_.wait_for(lock, std::chrono::milliseconds(ms), [this] { return is_over(); });
  }

  SendOptions options_;
  std::function<void(const SendOutcome&)> on_outcome_;
  std::unique_ptr<http::Client> client_;
  http::Headers headers_;
  mutable std::mutex mutex_;
  std::mutex outcome_mutex_;
  std::condition_variable changed_;
  std::deque<SendBatch> queue_;
  unsigned busy_ = 0;
  bool is_stopped_ = false;
  std::optional<Error> failure_;
  std::uint64_t repeats_ = 0;
  std::vector<std::thread> threads_;
};

BatchSender::BatchSender(SendOptions options, std::function<void(const SendOutcome&)> on_outcome)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(on_outcome))) {}
BatchSender::~BatchSender() = default;
Result<void> BatchSender::submit(SendBatch batch) { return impl_->submit(std::move(batch)); }
Result<void> BatchSender::finish() { return impl_->finish(); }
void BatchSender::stop() { impl_->stop(); }
std::uint64_t BatchSender::repeats() const { return impl_->repeats(); }

}  // namespace marquee::ingest
