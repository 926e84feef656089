// Appends to a log that wait for its answer, and records to append.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "marquee/log/event_log.h"

namespace marquee::log::testing {

inline std::future<Result<void>> append_later(EventLog& log, std::vector<Batch> batches) {
  auto done = std::make_shared<std::promise<Result<void>>>();
  log.append(std::move(batches), [done](Result<void> result) { done->set_value(std::move(result)); });
  return done->get_future();
}

/// All records with that key.
inline std::future<Result<void>> append_later(EventLog& log, Partition partition,
                                              const std::vector<std::string>& records, std::uint64_t key = 0) {
  Batch batch(partition);
  for (const auto& record : records) batch.add(record, key);
  std::vector<Batch> batches;
  batches.push_back(std::move(batch));
  return append_later(log, std::move(batches));
}

inline Result<void> append(EventLog& log, std::vector<Batch> batches) {
  return append_later(log, std::move(batches)).get();
}

inline Result<void> append(EventLog& log, Partition partition, const std::vector<std::string>& records,
                           std::uint64_t key = 0) {
  return append_later(log, partition, records, key).get();
}

/// "record <from>" to "record <to - 1>".
inline std::vector<std::string> numbered(int from, int to) {
  std::vector<std::string> records;
  for (int i = from; i < to; ++i) records.push_back("record " + std::to_string(i));
  return records;
}

}  // namespace marquee::log::testing
