// Brings a stream to where it is wanted: NDJSON, Parquet, or a running Marquee over its HTTP API.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "marquee/base/result.h"
#include "marquee/ingest/import_sender.h"
#include "marquee/simulate/stream.h"

namespace marquee::simulate {

struct Summary {
  std::uint64_t events = 0;                            ///< Lines sent or written, repeats and malformed ones too.
  std::uint64_t late = 0, repeats = 0, malformed = 0;  ///< Of these.
  std::uint64_t bytes = 0;                             ///< Of NDJSON.
  std::uint64_t accepted = 0;  ///< HTTP: durable, as the server said. A repeat is accepted too; the loader drops it.
  std::uint64_t rejected = 0;  ///< HTTP: refused one by one.
  std::map<std::string, std::uint64_t>
      rejected_fields;                ///< HTTP: by the field at fault; "" for a line that is not JSON.
  std::uint64_t resent_requests = 0;  ///< HTTP: requests that were repeated because the server was busy or away.
  double seconds = 0;                 ///< Wall time.
  std::optional<Error> failure;       ///< What ended the run early. The counts above hold nevertheless.
};

struct RunOptions {
  std::uint64_t events = 0;  ///< Ends after so many lines; 0: no such end.
  std::int64_t duration_ms =
      0;                      ///< Ends after so long: of event_time in files, of wall time over HTTP; 0: no such end.
  std::int64_t start_ms = 0;  ///< Where duration_ms begins in files: the stream's start_ms.
  const std::atomic<bool>* stop =
      nullptr;  ///< Set by anyone: ends soon and in order. What the server has not taken stays unsent.
  std::function<void(const Summary&)> on_progress;  ///< About five times a second, on the calling thread.
};

/// Writes NDJSON to an open descriptor. A reader that goes away (EPIPE) ends the run without failure. Blocks until
/// done.
[[nodiscard]] Summary write_ndjson(Stream& stream, int descriptor, const RunOptions& options);

/// Writes a Parquet file: columns named as the event's fields, event_time a UTC timestamp in ms, null where a field is
/// absent, rows in the order of the stream. The rows go through a private marquee-store (`store_binary`), whose data
/// lie beside the file until it is done. The file appears under its name only once whole. Needs an end (events or
/// duration_ms), and a stream without malformed lines, which have no columns: Action::reject. Blocks until done.
[[nodiscard]] Result<Summary> write_parquet(Stream& stream, const std::string& path, const std::string& store_binary,
                                            const RunOptions& options);

struct SendTarget {
  ingest::SendOptions send;            ///< Where to and with which key; see BatchSender for what is tried again.
  double rate = 0;                     ///< Lines per second of wall time; 0: as fast as the server takes them.
  std::uint32_t batch_events = 2'000;  ///< Most per request. At a low rate requests are smaller: twenty a second.
};

/// Sends to POST /v1/events with event_time around now. A server that is slower than `rate` is not run over later: what
/// could not be sent in time is left out. Blocks until every event has its answer, or the sender gave up.
[[nodiscard]] Summary send(Stream& stream, const SendTarget& target, const RunOptions& options);

}  // namespace marquee::simulate
