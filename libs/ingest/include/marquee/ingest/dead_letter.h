// A record of the log that could not be loaded, and who else than the store is told of it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/clickhouse/client.h"
#include "marquee/log/event_log.h"

namespace marquee::ingest {

struct DeadLetter {
  std::string topic;  ///< Where the record is; empty for the log of a Marquee without Kafka.
  log::Partition partition = 0;
  log::Offset offset = 0;
  std::string reason;
  std::string bytes;  ///< The record as it is there.
};

/// Hands letters on and returns when they are durable: an outcome for each. Action::retry: it is asked again; any other
/// error: the letter stays in the store's table alone. Called from several threads.
using DeadLetterSink = std::function<std::vector<Result<void>>(const std::vector<DeadLetter>&)>;

/// Writes letters to the store; writing one again changes nothing but its time.
[[nodiscard]] Result<void> write_dead_letters(clickhouse::Client& store, const std::vector<DeadLetter>& letters);

}  // namespace marquee::ingest
