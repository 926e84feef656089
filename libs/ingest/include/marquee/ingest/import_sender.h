// Sends batches of events to POST /v1/events, several at a time, until each is acknowledged.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/http/client.h"

namespace marquee::ingest {

/// Events as NDJSON: one JSON object a line, none of them blank. Parse errors within a line are the server's to name.
struct SendBatch {
  std::uint64_t id = 0;  ///< For the caller: comes back with the outcome.
  std::string ndjson;
  std::uint32_t events = 0;  ///< Lines in ndjson.
};

struct SendRejection {
  std::uint32_t index = 0;  ///< Line of the batch, from 0.
  std::string field;
  std::string reason;
};

struct SendOutcome {
  std::uint64_t id = 0;
  std::uint32_t accepted = 0;  ///< Durable, as acknowledged by the server.
  std::vector<SendRejection> rejected;
};

/// One exchange with the server; how tests stand in for it. Thread safe.
using PostEvents =
    std::function<std::expected<http::Response, http::Failure>(const http::Headers&, std::string_view body)>;

struct SendOptions {
  std::string url;  ///< "http://127.0.0.1:8080"
  std::string write_key;
  std::string encoding = "zstd";        ///< Of the body: "zstd", "gzip" or "".
  unsigned in_flight = 4;               ///< Requests at the same time.
  std::uint64_t patience_ms = 300'000;  ///< How long one batch is tried before the sender gives up; 0: without end.
  std::uint64_t first_pause_ms = 100;   ///< Before the first repeat; doubles up to 5 s; Retry-After goes before it.
  PostEvents post;                      ///< Empty: HTTP to `url`.
};

/// Repeats a batch on 429, 5xx and broken connections: events carry their identity, so a repeat does no harm. A body
/// that the server refuses as a whole (400, 413, 422) is halved until the events at fault stand alone, and these are
/// reported as rejected. submit, finish and stop may be called from one thread; on_outcome runs on the sender's
/// threads, one call at a time, in any order of batches.
class BatchSender {
 public:
  BatchSender(SendOptions options, std::function<void(const SendOutcome&)> on_outcome);
  ~BatchSender();  ///< Stops.
  BatchSender(const BatchSender&) = delete;
  BatchSender& operator=(const BatchSender&) = delete;

  /// Queues a batch; blocks while in_flight batches wait. Fails with the cause once the sender has given up or was
  /// stopped: the key is refused (reject), the server was away for longer than patience_ms (retry).
  [[nodiscard]] Result<void> submit(SendBatch batch);
  /// Waits until every batch has its outcome, or the sender gave up.
  [[nodiscard]] Result<void> finish();
  /// Ends waits between repeats and refuses new batches. A request that is under way is awaited.
  void stop();
  /// Requests that were repeated so far.
  [[nodiscard]] std::uint64_t repeats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace marquee::ingest
